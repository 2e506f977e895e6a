// The Bayes rule of N(0, 1) and N(3, 1.5): what priors, costs and rejection do to the threshold.
"use strict";
(() => {
  const CLASSES = [[0, 1], [3, 1.5]];
  const RANGE = [-10, 10];
  const { normalDensity, normalBelow, grid } = Moving;

  // Where a * f0(x) = b * f1(x): the roots of a quadratic in x.
  function roots(a, b) {
    const [[m0, s0], [m1, s1]] = CLASSES;
    const p = 0.5 / s1 ** 2 - 0.5 / s0 ** 2, q = m0 / s0 ** 2 - m1 / s1 ** 2;
    const r = 0.5 * (m1 / s1) ** 2 - 0.5 * (m0 / s0) ** 2 + Math.log((a * s1) / (b * s0));
    const under = q * q - 4 * p * r;
    if (under < 0) return [];
    const far = -0.5 * (q + Math.sign(q || 1) * Math.sqrt(under));
    return [far / p, r / far].sort((u, v) => u - v);
  }

  // Expected losses at x, times the density: of deciding 0, of deciding 1, of rejecting.
  function losses(x, { prior, miss, alarm, reject }) {
    const zero = (1 - prior) * normalDensity(x, ...CLASSES[0]), one = prior * normalDensity(x, ...CLASSES[1]);
    return [miss * one, alarm * zero, reject * (zero + one)];
  }

  // The intervals of each decision, and what they cost.
  function solve(setting) {
    const { prior, miss, alarm, reject } = setting;
    const cuts = [
      ...roots(alarm * (1 - prior), miss * prior),
      ...(miss > reject ? roots(reject * (1 - prior), (miss - reject) * prior) : []),
      ...(alarm > reject ? roots((alarm - reject) * (1 - prior), reject * prior) : []),
    ].sort((u, v) => u - v);
    const edges = [-Infinity, ...cuts, Infinity], pieces = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const [low, high] = [edges[i], edges[i + 1]];
      const middle = Number.isFinite(low) ? (Number.isFinite(high) ? (low + high) / 2 : low + 1) : (Number.isFinite(high) ? high - 1 : 0);
      const cost = losses(middle, setting), decision = cost.indexOf(Math.min(...cost));
      if (pieces.length && pieces.at(-1).decision === decision) pieces.at(-1).high = high;
      else pieces.push({ low, high, decision });
    }
    const mass = (k, decision) => pieces.filter((piece) => piece.decision === decision)
      .reduce((sum, { low, high }) => sum + normalBelow(high, ...CLASSES[k]) - normalBelow(low, ...CLASSES[k]), 0);
    const missed = mass(1, 0), alarms = mass(0, 1), rejected = (1 - prior) * mass(0, 2) + prior * mass(1, 2);
    return {
      thresholds: pieces.slice(1).map((piece) => piece.low), pieces, missed, alarms, rejected,
      risk: miss * prior * missed + alarm * (1 - prior) * alarms + reject * rejected,
    };
  }

  Moving.formulas.boundary = solve;
  Moving.figure("boundary", {
    title: "Move the priors and the costs",
    about: "Class 0 is N(0, 1), class 1 is N(3, 1.5). A miss decides 0 where the truth is 1, a false alarm decides 1 where it is 0.",
    build({ controls, show, say, redraw }) {
      const two = (v) => v.toFixed(2);
      const prior = Moving.slider(controls, { label: "Prior of class 1", min: 0.01, max: 0.99, step: 0.01, value: 0.5, show: two }, redraw);
      const miss = Moving.slider(controls, { label: "Cost of a miss", min: 0.1, max: 10, step: 0.1, value: 1, show: (v) => v.toFixed(1) }, redraw);
      const alarm = Moving.slider(controls, { label: "Cost of a false alarm", min: 0.1, max: 10, step: 0.1, value: 1, show: (v) => v.toFixed(1) }, redraw);
      const reject = Moving.slider(controls, { label: "Cost of rejecting", min: 0.05, max: 1, step: 0.05, value: 1, show: two }, redraw);
      return () => {
        const setting = { prior: prior.value, miss: miss.value, alarm: alarm.value, reject: reject.value };
        const found = solve(setting), xs = grid(...RANGE, 400);
        const curve = (k) => xs.map((x) => [x, (k ? setting.prior : 1 - setting.prior) * normalDensity(x, ...CLASSES[k])]);
        const top = 1.08 * Math.max(...curve(0).concat(curve(1)).map(([, v]) => v));
        const plot = Moving.axes({ x: RANGE, y: [0, top], xlabel: "x", ylabel: "prior × density", described: "Two weighted densities with the regions of each decision" });
        for (const { low, high, decision } of found.pieces) {
          const inside = (points) => points.filter(([x]) => x >= low && x <= high);
          if (decision !== 0) plot.area(inside(curve(0)), "one");
          if (decision !== 1) plot.area(inside(curve(1)), "two");
          const shown = [Math.max(low, RANGE[0]), Math.min(high, RANGE[1])];
          if (shown[1] - shown[0] > 1.2) plot.label(["decide 0", "decide 1", "reject"][decision], (shown[0] + shown[1]) / 2, top * 0.95, "label");
        }
        plot.line(curve(0), "one");
        plot.line(curve(1), "two dashed");
        found.thresholds.filter((x) => x > RANGE[0] && x < RANGE[1]).forEach((x) => plot.rule(x));
        show(plot.node);
        const where = found.thresholds.length ? `The decision changes at ${found.thresholds.map((x) => x.toFixed(3)).join(" and ")}.` : "One decision everywhere.";
        say(`${where} Of class 1, ${(100 * found.missed).toFixed(1)} % are missed; of class 0, ${(100 * found.alarms).toFixed(1)} % are false alarms; ${(100 * found.rejected).toFixed(1)} % of all are rejected. Risk: ${found.risk.toFixed(4)}.`);
      };
    },
  });
})();
