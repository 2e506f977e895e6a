// The engine behind `afterfitEngine` (see engine.js): CPython as WebAssembly, in a worker. `make
// live` puts this file in place of engine.js, behind a line that says what there is to load:
// AFTERFIT_LIVE = {versions, settings, scripts: bytes, parts: {name: {file, bytes, sha256}}}.
"use strict";
(() => {
const {versions, settings, scripts, parts} = AFTERFIT_LIVE;
const here = new URL(".", document.currentScript.src).href;
const fromDisk = location.protocol === "file:";

let worker = null, loaded = null, waiting = new Map(), count = 0;
let onProgress = () => {}, onOutput = () => {}, records = {};

// Exceptions as references (exnref), and what checks the parts: both without a transfer.
function supported() {
  const exnref = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x69, 0]);
  return Boolean(globalThis.WebAssembly?.validate(exnref) && globalThis.Worker && globalThis.crypto?.subtle);
}

function load(report = () => {}) {
  onProgress = report;
  loaded ??= start().catch((error) => { stop(); throw error; });
  return loaded;
}

async function start() {
  const given = fromDisk ? await fromScripts() : null;
  worker = new Worker(fromDisk ? URL.createObjectURL(new Blob([AfterfitFiles.worker], {type: "text/javascript"})) : here + "worker.js");
  worker.onmessage = ({data}) => hear(data);
  worker.onerror = (event) => { event.preventDefault?.(); fail(event.message || "The worker could not be started."); };
  const places = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, {...part, url: here + part.file}]));
  await ask("load", {parts: places, given, settings}, Object.values(given ?? {}));
}

// A page opened from disk may fetch nothing: there the same parts come as scripts of base64.
async function fromScripts() {
  globalThis.AfterfitFiles = {};
  await script("worker-source.js");
  const given = {}, total = Object.values(parts).reduce((sum, part) => sum + part.bytes, 0);
  let done = 0;
  for (const [name, part] of Object.entries(parts)) {
    await script(`${part.file}.js`);
    const text = AfterfitFiles[part.file];
    delete AfterfitFiles[part.file];
    given[name] = (Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (c) => c.charCodeAt(0))).buffer;
    done += part.bytes;
    onProgress({stage: "bytes", done, total, text: ""});
  }
  return given;
}

function script(name) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = here + name;
    element.onload = () => { element.remove(); resolve(); };
    element.onerror = () => reject(new Error(`${name} could not be read.`));
    document.head.append(element);
  });
}

function ask(task, fields, transfer = []) {
  if (!worker) return Promise.reject(new Error("Nothing is loaded: call load() first."));
  const id = count++;
  return new Promise((resolve, reject) => {
    waiting.set(id, {resolve, reject});
    worker.postMessage({task, id, ...fields}, transfer);
  });
}

function hear(message) {
  const {kind, id} = message;
  if (kind === "done" || kind === "failed") {
    const {resolve, reject} = waiting.get(id);
    waiting.delete(id);
    if (kind === "done") resolve(message.value); else reject(new Error(message.text));
  } else if (kind === "bytes" || kind === "imports" || kind === "cell") {
    onProgress({stage: kind, done: message.done, total: message.total, text: message.text ?? ""});
  } else if (kind === "record") records[message.name] = message.data;
  else if (kind === "traceback") console.debug(message.text);
  else if (kind === "output") onOutput({cell: message.cell, data: message.data});
  else if (kind === "stream") onOutput({cell: message.cell, name: message.name, text: message.text});
}

function fail(text) {
  worker?.terminate();
  worker = loaded = null;
  for (const {reject} of waiting.values()) reject(new Error(text));
  waiting = new Map();
}

const stop = () => fail("Stopped.");

async function putFile(name, bytes) {
  const plain = name.split(/[\\/]/).pop() || "table.csv";
  const data = bytes.slice();
  await ask("put", {name: plain, data}, [data.buffer]);
  return plain;
}

async function run(cells, report = () => {}) {
  onOutput = report; records = {};
  try {
    const {error, rows} = await ask("run", {cells});
    return {records, rows, error};
  } catch (error) {
    if (!worker) throw error; // stopped
    stop(); // what failed inside Python's own code leaves it in no known state
    return {records, rows: null, error: `Python stopped: ${error.message}`};
  }
}

window.afterfitEngine = {
  bytes: scripts + Object.values(parts).reduce((sum, part) => sum + part.bytes, 0),
  versions, supported, load, putFile, run, stop,
  columns: (name, options = {}) => ask("columns", {name, options}),
  memory: () => ask("memory", {}),
};
})();
