// P(Y <= y) of a gamma with given mean and shape, beside what three wrong readings of `scale` give.
"use strict";
(() => {
  const { logGamma, incompleteGamma, grid } = Moving;

  function density(y, shape, scale) {
    return y <= 0 ? 0 : Math.exp((shape - 1) * Math.log(y / scale) - y / scale - logGamma(shape)) / scale;
  }

  // `dispersion` is what statsmodels calls scale: one over the shape.
  function readings(y, mean, shape) {
    const dispersion = 1 / shape, below = (a, scale) => incompleteGamma(a, y / scale)[0];
    return {
      right: below(shape, mean * dispersion),
      scaleAsScale: below(mean / dispersion, dispersion),
      shapeAndScale: below(shape, dispersion),
      scaleAsShape: below(dispersion, mean / dispersion),
    };
  }

  Moving.formulas.gamma_glm = readings;
  Moving.figure("gamma_glm", {
    title: "Move y, the mean and the shape",
    about: "The shaded area is P(Y ≤ y). statsmodels' scale is the dispersion, one over the shape: the sentence below says what other readings of it give.",
    build({ controls, show, say, redraw }) {
      const y = Moving.slider(controls, { label: "y", min: 0.05, max: 6, step: 0.05, value: 1.5, show: (v) => v.toFixed(2) }, redraw);
      const mean = Moving.slider(controls, { label: "Mean of the row", min: 0.2, max: 5, step: 0.1, value: 2, show: (v) => v.toFixed(1) }, redraw);
      const shape = Moving.slider(controls, { label: "Shape", min: 0.5, max: 20, step: 0.5, value: 4, show: (v) => v.toFixed(1) }, redraw);
      return () => {
        const a = shape.value, scale = mean.value / a, xs = grid(0.01, 6, 300);
        const curve = xs.map((x) => [x, density(x, a, scale)]);
        const top = Math.min(3, 1.08 * Math.max(...curve.map(([, v]) => v)));
        const points = curve.map(([x, v]) => [x, Math.min(v, top)]);
        const plot = Moving.axes({ x: [0, 6], y: [0, top], xlabel: "y (units of the response)", ylabel: "density", described: "A gamma density, shaded up to y" });
        plot.area(points.filter(([x]) => x <= y.value), "one");
        plot.line(points, "one");
        plot.rule(y.value);
        show(plot.node);
        const p = readings(y.value, mean.value, a), f = (v) => v.toFixed(4);
        say(`P(Y ≤ ${y.value.toFixed(2)}) = ${f(p.right)}, with SciPy's scale ${scale.toFixed(3)} (mean over shape). Dispersion ${(1 / a).toFixed(3)} taken as SciPy's scale with the right mean: ${f(p.scaleAsScale)}; with the right shape: ${f(p.shapeAndScale)}; taken as the shape: ${f(p.scaleAsShape)}.`);
      };
    },
  });
})();
