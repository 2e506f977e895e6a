// Figures that move: sliders, a drawing in SVG, and a sentence that says what it shows.
// Each chapter's file calls Moving.figure(...); without JavaScript its static figure stands alone.
"use strict";
const Moving = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function element(tag, attributes = {}, ...children) {
    const drawn = ["svg", "g", "path", "line", "text", "circle", "rect", "title"].includes(tag);
    const node = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  // A slider with its label and its value, as text that a screen reader says too.
  function slider(parent, { label, min, max, step, value, show = String }, changed) {
    const output = element("output", {}, show(value));
    const input = element("input", { type: "range", min, max, step, value, "aria-label": label });
    const say = () => {
      output.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => { say(); changed(); });
    say();
    parent.append(element("label", {}, element("span", {}, label), input, output));
    return { get value() { return Number(input.value); }, set value(v) { input.value = v; say(); }, input };
  }

  function choice(parent, label, options, changed) {
    const select = element("select", { "aria-label": label });
    for (const option of options) select.append(element("option", {}, option));
    select.addEventListener("change", changed);
    parent.append(element("label", {}, element("span", {}, label), select));
    return select;
  }

  // Ticks at 1, 2 or 5 times a power of ten.
  function ticks([low, high], count = 6) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
    return found.map((tick) => Number(tick.toPrecision(12)));
  }

  // A drawing is as wide as its letters need: narrower where the screen is.
  const drawingWidth = () => (innerWidth < 600 ? 400 : 640);

  // Axes of a drawing; what is drawn is in the units of the data.
  function axes({ x, y, xlabel, ylabel, described }) {
    const width = drawingWidth(), height = width === 640 ? 320 : 280, left = 62, right = 12, top = 10, bottom = 48;
    const sx = (v) => left + ((v - x[0]) / (x[1] - x[0])) * (width - left - right);
    const sy = (v) => height - bottom - ((v - y[0]) / (y[1] - y[0])) * (height - top - bottom);
    const node = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": described });
    const text = (content, px, py, attributes = {}) => {
      const label = element("text", { x: px, y: py, ...attributes }, content);
      node.append(label);
      return label;
    };
    const path = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${sx(a).toFixed(2)} ${sy(b).toFixed(2)}`).join("");
    for (const tick of ticks(x, width / 100)) {
      node.append(element("line", { class: "axis", x1: sx(tick), x2: sx(tick), y1: sy(y[0]), y2: sy(y[0]) + 5 }));
      text(String(tick).replace("-", "−"), sx(tick), sy(y[0]) + 20, { "text-anchor": "middle" });
    }
    for (const tick of ticks(y, 4)) {
      node.append(element("line", { class: "axis", x1: sx(x[0]) - 5, x2: sx(x[0]), y1: sy(tick), y2: sy(tick) }));
      text(String(tick), sx(x[0]) - 8, sy(tick) + 4, { "text-anchor": "end" });
    }
    node.append(element("path", { class: "axis", d: `M${sx(x[0])} ${sy(y[1])}V${sy(y[0])}H${sx(x[1])}` }));
    text(xlabel, (sx(x[0]) + sx(x[1])) / 2, height - 8, { "text-anchor": "middle" });
    text(ylabel, 16, (sy(y[0]) + sy(y[1])) / 2, {
      "text-anchor": "middle", transform: `rotate(-90 16 ${(sy(y[0]) + sy(y[1])) / 2})`,
    });
    return {
      node, sx, sy, width, height,
      line: (points, kind) => node.append(element("path", { class: `curve ${kind}`, d: path(points) })),
      area: (points, kind) => points.length > 1 && node.append(element("path", {
        class: `area ${kind}`, d: `${path([[points[0][0], y[0]], ...points, [points.at(-1)[0], y[0]]])}Z`,
      })),
      rule: (at, kind = "rule") => node.append(element("line", { class: kind, x1: sx(at), x2: sx(at), y1: sy(y[0]), y2: sy(y[1]) })),
      dot: (a, b, r, kind) => node.append(element("circle", { class: kind, cx: sx(a), cy: sy(b), r })),
      label: (content, a, b, kind, anchor = "middle") => text(content, sx(a), sy(b), { class: kind, "text-anchor": anchor }),
    };
  }

  const grid = (low, high, n) => Array.from({ length: n + 1 }, (_, i) => low + ((high - low) * i) / n);

  // A section at the end of the chapter's short answer; build returns the function that draws.
  function figure(name, { title, about, build }) {
    const place = document.querySelector("#short-answer");
    if (!place) return;
    const canvas = element("div", { class: "moving-canvas" });
    const controls = element("div", { class: "moving-controls" });
    const says = element("p", { class: "moving-says", role: "status" });
    place.append(element("div", { class: "moving", id: `moving-${name}`, role: "group", "aria-label": title },
      element("p", { class: "moving-title" }, title), element("p", {}, about), canvas, controls, says));
    const draw = build({
      controls,
      show: (node) => canvas.replaceChildren(node),
      say: (sentence) => { says.textContent = sentence.replace(/ %/g, "\u00a0%").replace(/(^|\s)-(?=\d)/g, "$1−"); },
      redraw: () => draw(),
    });
    draw();
  }

  // --- special functions, as in any textbook of numerical methods ---

  const LANCZOS = [0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7];

  function logGamma(x) {
    if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
    const t = x + 6.5;
    const sum = LANCZOS.reduce((s, c, i) => s + (i ? c / (x - 1 + i) : c), 0);
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  }

  // [P, Q]: the lower and the upper regularised incomplete gamma function.
  function incompleteGamma(a, x) {
    if (x <= 0) return [0, 1];
    const front = Math.exp(a * Math.log(x) - x - logGamma(a));
    if (x < a + 1) {
      let term = 1 / a, sum = term;
      for (let n = 1; n < 10000 && Math.abs(term) > 1e-17 * sum; n++) { term *= x / (a + n); sum += term; }
      return [front * sum, 1 - front * sum];
    }
    let b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (let n = 1; n < 10000; n++) {
      const step = -n * (n - a);
      b += 2; d = 1 / (step * d + b); c = b + step / c;
      h *= d * c;
      if (Math.abs(d * c - 1) < 1e-16) break;
    }
    return [1 - front * h, front * h];
  }

  const normalDensity = (x, mean = 0, sd = 1) => Math.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));

  function normalBelow(x, mean = 0, sd = 1) {
    if (!Number.isFinite(x)) return x > 0 ? 1 : 0;
    const z = (x - mean) / sd, [inside, outside] = incompleteGamma(0.5, (z * z) / 2);
    return z < 0 ? outside / 2 : 0.5 + inside / 2;
  }

  return { element, slider, choice, axes, grid, figure, drawingWidth, logGamma, incompleteGamma, normalDensity, normalBelow, formulas: {} };
})();
