// A point over Old Faithful: its responsibility, log density, component tail and HDR tail.
"use strict";
(() => {
  const source = document.getElementById("moving-data");
  const { weights = [], means = [], covariances = [], levels = [], points = [] } = source ? JSON.parse(source.textContent) : {};
  const HOURS = 2 * Math.log(60); // what a log density per square minute gains per square hour

  function numbers([x, y]) {
    const joints = weights.map((weight, k) => {
      const [[a, b], [, d]] = covariances[k], u = x - means[k][0], v = y - means[k][1], det = a * d - b * b;
      const squared = (d * u * u - 2 * b * u * v + a * v * v) / det;
      return { squared, joint: Math.log(weight) - Math.log(2 * Math.PI) - Math.log(det) / 2 - squared / 2 };
    });
    const largest = Math.max(...joints.map(({ joint }) => joint)), k = joints.findIndex(({ joint }) => joint === largest);
    const logDensity = largest + Math.log(joints.reduce((s, { joint }) => s + Math.exp(joint - largest), 0));
    // Two features: the upper tail of chi-squared with two degrees of freedom is exp(-x / 2).
    return { component: k, responsibility: Math.exp(largest - logDensity), logDensity, componentTail: Math.exp(-joints[k].squared / 2), hdrTail: below(logDensity) };
  }

  // The share of draws from the mixture whose density is at most as high, from stored quantiles.
  function below(level) {
    let low = 0, high = levels.length;
    while (low < high) { const middle = (low + high) >> 1; if (levels[middle] <= level) low = middle + 1; else high = middle; }
    if (low === 0) return 0;
    if (low === levels.length) return 1;
    return (low - 1 + (level - levels[low - 1]) / (levels[low] - levels[low - 1])) / (levels.length - 1);
  }

  Moving.formulas.mixture = (point) => { const n = numbers(point); return [n.responsibility, n.logDensity, n.componentTail, n.hdrTail]; };
  if (!weights.length) return;
  Moving.figure("mixture", {
    title: "Move a point over Old Faithful",
    about: "Drag the point, or use the sliders. A change of units moves the density and nothing else.",
    build({ controls, show, say, redraw }) {
      const range = { x: [0.5, 7], y: [35, 105] };
      const x = Moving.slider(controls, { label: "Duration (min)", min: 0.5, max: 7, step: 0.05, value: 6.5, show: (v) => v.toFixed(2) }, redraw);
      const y = Moving.slider(controls, { label: "Time to the next (min)", min: 35, max: 105, step: 0.5, value: 45, show: (v) => v.toFixed(1) }, redraw);
      const unit = Moving.choice(controls, "Units of the density", ["per square minute", "per square hour"], redraw);
      return () => {
        const plot = Moving.axes({ ...range, xlabel: "duration of the eruption (min)", ylabel: "time to the next (min)", described: "Eruptions of Old Faithful, and the point that you move" });
        points.forEach(([a, b]) => plot.dot(a, b, 3, "data"));
        plot.dot(x.value, y.value, 9, "grip");
        const move = (event) => {
          const box = plot.node.getBoundingClientRect();
          const px = ((event.clientX - box.left) / box.width) * plot.width, py = ((event.clientY - box.top) / box.height) * plot.height;
          x.value = range.x[0] + ((px - plot.sx(range.x[0])) / (plot.sx(range.x[1]) - plot.sx(range.x[0]))) * (range.x[1] - range.x[0]);
          y.value = range.y[0] + ((py - plot.sy(range.y[0])) / (plot.sy(range.y[1]) - plot.sy(range.y[0]))) * (range.y[1] - range.y[0]);
          redraw();
        };
        plot.node.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          move(event);
          const stop = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", stop); };
          addEventListener("pointermove", move);
          addEventListener("pointerup", stop);
        });
        show(plot.node);
        const n = numbers([x.value, y.value]), hours = unit.selectedIndex === 1;
        const tail = (p) => (p < 0.001 ? "below 0.001" : p.toFixed(3));
        say(`Responsibility of its likeliest component ${n.responsibility.toFixed(3)}; log density ${(n.logDensity + (hours ? HOURS : 0)).toFixed(2)} ${unit.value}; tail of that component ${tail(n.componentTail)}; HDR tail of the mixture ${tail(n.hdrTail)}. ${n.hdrTail < 0.01 && n.responsibility > 0.99 ? "Assigned without a doubt, and unlike the data." : ""}`);
      };
    },
  });
})();
