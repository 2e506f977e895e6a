// What canonical correlations of pure noise look like: Wachter's limit for n rows, p and q columns.
"use strict";
(() => {
  // The support of the squares and the density of a correlation, and the roots that are forced to 1.
  function noise(n, p, q) {
    const m = n - 1, a = Math.min(p, q) / m, b = Math.max(p, q) / m;
    const spread = Math.sqrt(a * (1 - b)), base = Math.sqrt(b * (1 - a));
    if (a + b >= 1) return { edge: 1, low: 0, density: () => 0, forced: Math.max(0, p + q - m) };
    const low = (base - spread) ** 2, high = (base + spread) ** 2;
    const density = (rho) => {
      const s = rho * rho;
      if (s <= low || s >= high) return 0;
      return (2 * rho * Math.sqrt((s - low) * (high - s))) / (2 * Math.PI * a * s * (1 - s));
    };
    return { edge: Math.sqrt(high), low: Math.sqrt(low), density, forced: 0 };
  }

  Moving.formulas.cca = (n, p, q, rho) => { const found = noise(n, p, q); return [found.edge, found.density(rho)]; };
  Moving.figure("cca", {
    title: "Is my correlation noise?",
    about: "Two independent sets of columns have canonical correlations too. The curve is their limiting density; the line is yours.",
    build({ controls, show, say, redraw }) {
      const n = Moving.slider(controls, { label: "Rows", min: 20, max: 1000, step: 5, value: 100 }, redraw);
      const p = Moving.slider(controls, { label: "Columns of X", min: 1, max: 100, step: 1, value: 20 }, redraw);
      const q = Moving.slider(controls, { label: "Columns of Y", min: 1, max: 100, step: 1, value: 20 }, redraw);
      const rho = Moving.slider(controls, { label: "Your first correlation", min: 0.01, max: 0.99, step: 0.01, value: 0.8, show: (v) => v.toFixed(2) }, redraw);
      return () => {
        const found = noise(n.value, p.value, q.value);
        const curve = Moving.grid(0.002, 0.998, 498).map((x) => [x, found.density(x)]);
        const top = Math.min(8, 1.1 * Math.max(1, ...curve.map(([, v]) => v)));
        const plot = Moving.axes({ x: [0, 1], y: [0, top], xlabel: "canonical correlation", ylabel: "density", described: "Density of the canonical correlations of independent sets, and an observed correlation" });
        const points = curve.map(([x, v]) => [x, Math.min(v, top)]);
        plot.area(points, "one");
        plot.line(points, "one");
        plot.rule(rho.value);
        show(plot.node);
        const few = Math.min(p.value, q.value) < 5 ? " With so few columns the limit is a guide only: use the tests of the chapter." : "";
        say(found.edge >= 1
          ? `With ${n.value} rows and ${p.value} + ${q.value} columns correlations of 1 are forced, whatever the data: no number here means anything.`
          : `Noise reaches about ${found.edge.toFixed(3)}. A first correlation of ${rho.value.toFixed(2)} is ${rho.value > found.edge ? "above that: more than noise of this size gives" : "within it: noise of this size gives as much"}.${few}`);
      };
    },
  });
})();
