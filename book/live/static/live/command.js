// What was chosen, as a command for a POSIX shell and as a cell of Python. Nothing here touches the page.
"use strict";
const Live = {};

// As Python's shlex.quote.
Live.quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

// A number as YAML 1.1 and Python read it: 1e-7 would be text, and long digits a whole number.
const numeral = (value) => {
  const text = Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
  return text.replace(/^(-?\d+)e/, "$1.0e");
};

// --- YAML, for papermill's -y ---

const PLAIN = /^[A-Za-z_]\w*$/;
const TAKEN = /^(y|yes|n|no|on|off|true|false|null)$/i;
const UNPRINTABLE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

function jsonText(text) {
  return JSON.stringify(text).replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function yamlItem(item) {
  if (typeof item !== "string") return numeral(item);
  return PLAIN.test(item) && !TAKEN.test(item) ? item : jsonText(item);
}

// Text goes in as it is (-r), so that a column named 2019 is no number.
function papermillOption(name, value) {
  if (Array.isArray(value)) return `-y ${Live.quoted(`${name}: [${value.map(yamlItem).join(", ")}]`)}`;
  if (typeof value === "string") return `-r ${name} ${Live.quoted(value)}`;
  return `-p ${name} ${typeof value === "boolean" ? pythonOf(value) : numeral(value)}`;
}

Live.papermill = (stem, values) =>
  [`papermill notebooks/${stem}.ipynb out.ipynb`, ...Object.entries(values).map((one) => papermillOption(...one))].join(" \\\n  ");

// --- afterfit run: a list stands in brackets, what has a comma or a bracket in double quotes ---

function afterfitItem(item) {
  if (typeof item !== "string") return numeral(item);
  if (item.includes('"') || item !== item.trim()) throw new RangeError(item);
  return item === "" || /[,[\]]/.test(item) ? `"${item}"` : item;
}

function afterfitText(value) {
  if (Array.isArray(value)) return `[${value.map(afterfitItem).join(",")}]`;
  return typeof value === "boolean" ? pythonOf(value) : typeof value === "string" ? value : numeral(value);
}

// null where a name in a list cannot be written so.
Live.afterfit = (stem, { rows = "", ...values }) => {
  const lines = [`afterfit run notebooks/${stem}.ipynb -o out.ipynb`];
  if (rows) lines.push(`--rows ${Live.quoted(rows)}`);
  try {
    const given = Object.entries(values).map(([name, value]) => Live.quoted(`${name}=${afterfitText(value)}`));
    if (given.length) lines.push(`-p ${given.join(" \\\n    ")}`);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return lines.join(" \\\n  ");
};

// --- Python ---

function pythonOf(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : numeral(value);
}

// The cell that papermill would put behind the one tagged `parameters`.
Live.parametersCell = (values) => ({
  source: ["# Parameters", ...Object.entries(values).map(([name, value]) => `${name} = ${pythonOf(value)}`)].join("\n"),
  tags: ["injected-parameters"],
});

// The chapter's code with that cell in its place; `place` is where a cell comes from.
Live.withValues = (cells, values) => cells.flatMap(({ source, tags }, place) => {
  if (source === undefined) return [];
  const own = { source, tags, place };
  return tags.includes("parameters") ? [own, { ...Live.parametersCell(values), place }] : [own];
});
