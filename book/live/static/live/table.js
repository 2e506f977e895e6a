// The names of a file's columns, as far as its first line says them: to choose from, nothing more.
// What the file holds is found out by `afterfit.datasets.load_table`, in the page or in a terminal.
"use strict";

const HEAD = 65536; // bytes: a first line is shorter
const SEPARATORS = [",", ";", "\t", "|"];

// The cells of the first record of a text; the rest stays.
Live.firstRecord = (text, separator) => {
  const cells = [""];
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (isQuoted) {
      if (c !== '"') cells[cells.length - 1] += c;
      else if (text[i + 1] === '"') { cells[cells.length - 1] += c; i++; } else isQuoted = false;
    } else if (c === '"' && cells.at(-1) === "") isQuoted = true;
    else if (c === separator) cells.push("");
    else if (c === "\n" || c === "\r") return cells;
    else cells[cells.length - 1] += c;
  }
  return isQuoted ? [] : cells;
};

function decoded(bytes) {
  const name = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(name, { fatal: true }).decode(bytes, { stream: true });
}

// null where they are not certain: a compressed file, comments, names that are empty or there twice.
Live.namesOf = async (file, separator = "") => {
  if (!/\.(csv|tsv|txt)$/i.test(file.name)) return null;
  let text;
  try {
    text = decoded(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  } catch {
    return null;
  }
  if (/^\s*(#|$)|^"?sep=/i.test(text)) return null;
  const separators = separator ? [separator] : SEPARATORS;
  const found = separators.map((one) => Live.firstRecord(text, one)).filter((cells) => cells.length > 1);
  if (found.length !== 1) return null;
  const [names] = found;
  return names.every((name) => name.trim() === name && name) && new Set(names).size === names.length ? names : null;
};
