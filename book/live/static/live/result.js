// What a run shows: tables and figures from an allow-list, text of the chapter with its values.
"use strict";

const words = (text) => new Set(text.split(" "));
const HTML_TAGS = words("table thead tbody tfoot tr th td caption div span p br b strong i em u s small sub sup code pre ul ol li dl dt dd blockquote hr h4 h5 h6");
const SVG_TAGS = words("svg g defs clipPath mask path use rect circle ellipse line polyline polygon text tspan title desc linearGradient radialGradient stop pattern image symbol marker");
// Of any other element what it holds is kept, of these nothing.
const DROPPED = words("script style template noscript iframe object embed link meta base input button textarea select option foreignobject metadata animate animatemotion animatetransform set discard audio video source track canvas math head title");
const HTML_ATTRIBUTES = words("class colspan rowspan scope title lang dir start");
const SVG_ATTRIBUTES = words("id class d x y x1 x2 y1 y2 cx cy r rx ry fx fy dx dy width height viewBox points transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit opacity clip-path clip-rule mask offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod patternUnits patternTransform clipPathUnits maskUnits preserveAspectRatio text-anchor font-size font-family font-weight font-style href xlink:href");
const STYLES = words("fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit opacity clip-path clip-rule stop-color stop-opacity font-family font-size font-style font-weight line-height text-anchor text-align white-space color image-rendering mix-blend-mode");
const PAINTS = words("fill stroke stop-color");
const SVG = "http://www.w3.org/2000/svg";
const PICTURE = /^data:image\/png;base64,[A-Za-z0-9+/=\s]*$/;

// The value of an attribute or a style, null if it may not be. What it refers to is in the same
// figure, under a name of its own on this page.
function allowed(tag, name, value, prefix) {
  if (name === "id") return prefix + value;
  if (name === "href" || name === "xlink:href") {
    if (value.startsWith("#")) return `#${prefix}${value.slice(1)}`;
    return tag === "image" && PICTURE.test(value) ? value : null;
  }
  const [, target] = value.match(/^url\(["']?#([\w.:-]+)["']?\)$/) ?? [];
  if (target) return `url(#${prefix}${target})`;
  return /url|expression|javascript:|[<>\\]/i.test(value) ? null : value;
}

function cleanNode(node, prefix) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE) return document.createDocumentFragment();
  const isDrawn = node.namespaceURI === SVG, tag = node.localName;
  const isKept = (isDrawn ? SVG_TAGS : HTML_TAGS).has(tag);
  if (!isKept && DROPPED.has(tag.toLowerCase())) return document.createDocumentFragment();
  const clean = !isKept ? document.createDocumentFragment()
    : isDrawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (isKept) copyAttributes(node, clean, isDrawn ? SVG_ATTRIBUTES : HTML_ATTRIBUTES, prefix);
  for (const child of node.childNodes) clean.append(cleanNode(child, prefix));
  return clean;
}

function copyAttributes(node, clean, names, prefix) {
  for (const { name, value } of node.attributes) {
    const kept = names.has(name) ? allowed(node.localName, name, value, prefix) : null;
    if (kept !== null && PAINTS.has(name)) setStyle(clean, name, kept);
    else if (kept !== null) clean.setAttribute(name === "xlink:href" ? "href" : name, kept);
  }
  for (const name of node.style ?? []) {
    const kept = STYLES.has(name) ? allowed(node.localName, name, node.style.getPropertyValue(name), prefix) : null;
    if (kept !== null) setStyle(clean, name, kept);
  }
}

// A colour goes in twice: the browser has to write it first, then it is known what it is in the dark.
function setStyle(clean, name, value) {
  clean.style.setProperty(name, value);
  if (PAINTS.has(name)) clean.style.setProperty(name, Live.inBothLights(clean.style.getPropertyValue(name)));
}

let nFigures = 0;

// A fragment of the page from HTML or SVG that may hold anything.
Live.clean = (text) => {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const clean = document.createDocumentFragment(), prefix = `live-figure-${++nFigures}-`;
  for (const node of parsed.body.childNodes) clean.append(cleanNode(node, prefix));
  return clean;
};

// --- values in the text ---

// As Python's format of a number by ",", ".3f", ",.1f" or ".0%"; ties go to the even digit, as there.
Live.formatted = (value, layout) => {
  const [, comma, digits, kind] = layout.match(/^(,)?(?:\.(\d+)([f%]))?$/);
  const number = kind === "%" ? value * 100 : value;
  let text = digits === undefined ? String(number) : fixed(number, Number(digits));
  if (comma) text = text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  return kind === "%" ? `${text}%` : text;
};

function fixed(number, digits) {
  const text = Math.abs(number).toFixed(digits), exact = Math.abs(number).toFixed(Math.min(100, digits + 50));
  const isTie = /^50*$/.test(exact.slice(exact.indexOf(".") + 1 + digits));
  const isOdd = Number(text.at(-1)) % 2 === 1;
  const size = isTie && isOdd ? (BigInt(text.replace(".", "")) - 1n).toString().padStart(digits + 1, "0") : text.replace(".", "");
  const point = digits ? `${size.slice(0, -digits)}.${size.slice(-digits)}` : size;
  return number < 0 || Object.is(number, -0) ? `-${point}` : point;
}

function written(record, layout) {
  if (!record) return "(not computed)";
  let value = null;
  try {
    value = layout ? JSON.parse(record["application/json"]) : null;
  } catch { /* not a number, written as it is */ }
  const text = typeof value === "number" ? Live.formatted(value, layout) : String(record["text/plain"]);
  const raised = (digits) => [...String(Number(digits))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");
  return text.replace(/^-(?=[\d.])/, "−").replace(/(?<=\d)e([-+]\d+)/g, (_, digits) => ` × 10${raised(digits)}`);
}

// --- what a cell shows, where the chapter has it ---

Live.places = (cells) => cells.map((cell) => {
  const place = document.createElement("div");
  place.className = cell.html ? "live-prose" : "live-output";
  place.hidden = true;
  if (cell.html) place.innerHTML = cell.html; // the chapter's own text, made with the book
  return place;
});

Live.writeValues = (places, records) => {
  for (const place of places.filter((each) => each.matches(".live-prose"))) {
    for (const value of place.querySelectorAll(".live-number")) {
      value.textContent = written(records[value.dataset.name], value.dataset.format);
    }
    place.hidden = false;
  }
};

const isMute = (cell) => ["remove-cell", "remove-output"].some((tag) => cell.tags.includes(tag));

Live.show = (place, cell, { data, name, text }) => {
  if (data?.["image/svg+xml"]) place.append(figure(cell, data["image/svg+xml"]));
  else if (isMute(cell) && name !== "stderr") return;
  else if (data?.["text/html"]) place.append(scroller(Live.clean(data["text/html"])));
  else print(place, name ?? "stdout", data?.["text/plain"] ?? text ?? "");
  place.hidden = false;
};

function scroller(content) {
  const box = document.createElement("div");
  box.className = "live-scroll";
  box.append(content);
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Table");
  return box;
}

// What is printed bit by bit stands in one block.
function print(place, name, text) {
  if (!text.trim() && place.lastElementChild?.className !== `live-${name}`) return;
  if (place.lastElementChild?.className !== `live-${name}`) {
    const block = document.createElement("pre");
    block.className = `live-${name}`;
    place.append(block);
  }
  place.lastElementChild.textContent += text;
}

function figure(cell, svg) {
  const box = document.createElement("figure");
  box.append(Live.clean(svg.slice(Math.max(0, svg.indexOf("<svg")))));
  const drawing = box.querySelector("svg");
  for (const image of box.querySelectorAll("image[href]")) Live.addDarkPicture(image).catch(() => {}); // stays as it is
  drawing?.setAttribute("role", "img");
  drawing?.setAttribute("aria-label", cell.alt ?? "Figure");
  if (cell.caption) {
    const caption = document.createElement("figcaption");
    caption.innerHTML = cell.caption; // the chapter's own, as the text
    box.append(caption);
  }
  return box;
}
