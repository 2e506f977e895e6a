// How often each criterion found the number of clusters, by noise: from the recorded simulation.
"use strict";
(() => {
  const source = document.getElementById("moving-data");
  const { noise = [], shares = {}, tables = [] } = source ? JSON.parse(source.textContent) : {};

  Moving.formulas.categorical = (level) => Object.fromEntries(Object.entries(shares).map(([name, values]) => [name, values[level]]));
  if (!noise.length) return;
  Moving.figure("categorical", {
    title: "Move the noise",
    about: "The share of simulated tables with clusters in which each criterion found their number, as recorded.",
    build({ controls, show, say, redraw }) {
      const level = Moving.slider(controls, { label: "Share of cells replaced at random", min: 0, max: noise.length - 1, step: 1, value: 0, show: (k) => `${(100 * noise[k]).toFixed(0)} %` }, redraw);
      return () => {
        const k = level.value, names = Object.keys(shares), width = Moving.drawingWidth(), row = 30;
        const start = 110, longest = width - start - 70;
        const node = Moving.element("svg", { viewBox: `0 0 ${width} ${names.length * row + 8}`, role: "img", "aria-label": "Bars: how often each criterion was right" });
        names.forEach((name, i) => {
          const share = shares[name][k], y = i * row + 4;
          node.append(
            Moving.element("text", { x: start - 10, y: y + 19, "text-anchor": "end" }, name),
            Moving.element("rect", { class: name === "rule" ? "bar two" : "bar one", x: start, y: y + 3, height: row - 8, width: Math.max(1, longest * share) }),
            Moving.element("text", { x: start + 8 + longest * share, y: y + 19 }, `${(100 * share).toFixed(0)} %`));
        });
        show(node);
        const order = [...names].sort((a, b) => shares[b][k] - shares[a][k]);
        say(`At ${(100 * noise[k]).toFixed(0)} % noise (${tables[k]} tables): ${order.map((name) => `${name} ${(100 * shares[name][k]).toFixed(0)} %`).join(", ")}.`);
      };
    },
  });
})();
