// How often each criterion was right, by kind of table: from the recorded simulation.
"use strict";
(() => {
  const source = document.getElementById("moving-data");
  const { kinds = [], shares = {}, tables = [] } = source ? JSON.parse(source.textContent) : {};

  Moving.formulas.categorical = (level) => Object.fromEntries(Object.entries(shares).map(([name, values]) => [name, values[level]]));
  if (!kinds.length) return;
  Moving.figure("categorical", {
    title: "Move through the kinds of tables",
    about: "The share of simulated tables in which each criterion was right about the number of clusters, as recorded. Where there are none, 1 is right.",
    build({ controls, show, say, redraw }) {
      const level = Moving.slider(controls, { label: "Kind of table", min: 0, max: kinds.length - 1, step: 1, value: 0, show: (k) => kinds[k] }, redraw);
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
        say(`${kinds[k]} (${tables[k]} tables): ${order.map((name) => `${name} ${(100 * shares[name][k]).toFixed(0)} %`).join(", ")}.`);
      };
    },
  });
})();
