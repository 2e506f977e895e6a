// The worker of "Try it on your own table": loads Python once, runs what the page asks for, and
// says what happens. It requests nothing but the parts that it is told of, beside its own file,
// and takes none whose sha256 is another. Python sees files in memory and no network.
"use strict";
if (!globalThis.AfterfitWasi) importScripts("wasi.js", "fzstd.js"); // in one text where it is a blob
const {Wasi, file, put} = AfterfitWasi;
const CACHE = "afterfit-live";
const WORK = "/work"; // where cells run and the reader's files are

let python; // {wasi, exports, work}
let take; // what to do with a line that the kernel tells

// The bytes of a part, from the reader's own store after the first time; hash and size must be right.
async function transferred(name, {url, bytes, sha256}, given, progress) {
  if (given) return checked(name, new Uint8Array(given), sha256);
  const store = globalThis.caches && await caches.open(CACHE).catch(() => null);
  const kept = store && await store.match(url);
  if (kept) {
    const data = new Uint8Array(await kept.arrayBuffer());
    try { await checked(name, data, sha256); progress(bytes); return data; } catch { await store.delete(url); }
  }
  const response = await fetch(url, {credentials: "omit"});
  if (!response.ok) throw new Error(`${name} could not be fetched: ${response.status}.`);
  const data = await received(response.body, bytes, name, progress);
  await checked(name, data, sha256);
  if (store) await store.put(url, new Response(data)).catch(() => {}); // no room: it is fetched again
  return data;
}

async function received(stream, bytes, name, progress) {
  const data = new Uint8Array(bytes), reader = stream.getReader();
  let at = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    if (at + value.length > bytes) throw new Error(`${name} is longer than the ${bytes} bytes that it should have.`);
    data.set(value, at); at += value.length; progress(value.length);
  }
  return data.subarray(0, at);
}

async function checked(name, data, sha256) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== sha256) throw new Error(`${name} is not what was published: its sha256 is ${hex}.`);
  return data;
}

// The content of a part.
const opened = async (name, part, given, progress) => fzstd.decompress(await transferred(name, part, given, progress));

// The same in a worker beside this one, while this one opens another; it ends, and its memory with it.
function openedBeside(name, part, _, progress) {
  const helper = new Worker(location.href);
  return new Promise((resolve, reject) => {
    helper.onerror = (event) => reject(new Error(event.message || "A second worker could not be started."));
    helper.onmessage = ({data: {kind, more, value, text}}) => {
      if (kind === "more") progress(more); else if (kind === "done") resolve(value); else reject(new Error(text));
    };
    helper.postMessage({task: "open", name, part});
  }).finally(() => helper.terminate());
}

// Older parts are of no use: only those of this book stay.
async function forgetOthers(parts) {
  const store = globalThis.caches && await caches.open(CACHE).catch(() => null);
  if (!store) return;
  const wanted = new Set(Object.values(parts).map((part) => new URL(part.url, location).href));
  for (const request of await store.keys()) if (!wanted.has(request.url)) await store.delete(request);
}

// Four bytes: the length of the index; the index, {path: [offset, size]}; the contents.
function unpack(data, into) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true), body = 4 + length;
  const index = JSON.parse(new TextDecoder().decode(data.subarray(4, body)));
  for (const [path, [at, size]] of Object.entries(index)) put(into, path, file(data.subarray(body + at, body + at + size)));
}

async function load({parts, given, settings}) {
  const total = Object.values(parts).reduce((sum, part) => sum + part.bytes, 0);
  let done = 0;
  const progress = (more) => { done += more; postMessage({kind: "bytes", done, total, text: ""}); };
  const content = (open, name) => open(name, parts[name], given?.[name], progress), root = new Map();
  const [module, ...packs] = await Promise.all([
    content(opened, "python.wasm").then(WebAssembly.compile),
    content(given ? opened : openedBeside, "library.pack"), // opened from disk, a worker may start none
    content(opened, "book.pack"),
  ]);
  for (const pack of packs) unpack(pack, root);
  forgetOthers(parts).catch(() => {});
  await begin(module, root, settings);
}

async function begin(module, root, {args, env, preopens}) {
  const at = (path) => path.split("/").filter(Boolean).reduce((node, part) => node.get(part), root);
  const opened = Object.fromEntries(Object.entries(preopens).map(([path, place]) => [path, at(place)]));
  put(root, "/tmp/matplotlib", new Map());
  put(root, "/dev/null", {data: new Uint8Array(0), size: 0, write: true});
  const work = put(root, WORK, new Map());
  const wasi = new Wasi({args, env, write: lines(), preopens: opened});
  const instance = await WebAssembly.instantiate(module, wasi.imports());
  wasi.memory = instance.exports.memory;
  instance.exports._initialize?.();
  python = {wasi, exports: instance.exports, work};
}

// Each line of standard output is JSON, told by the kernel; anything else is text of a library.
function lines() {
  const rest = {1: "", 2: ""}, decoders = {1: new TextDecoder(), 2: new TextDecoder()};
  return (fd, bytes) => {
    const whole = (rest[fd] + decoders[fd].decode(bytes, {stream: true})).split("\n");
    rest[fd] = whole.pop();
    for (const line of whole) tell(fd, line);
  };
}

function tell(fd, line) {
  let message = null;
  if (fd === 1 && line.startsWith("{")) try { message = JSON.parse(line); } catch { /* text */ }
  take(message?.kind ? message : {kind: "stream", cell: null, name: fd === 1 ? "stdout" : "stderr", text: line + "\n"});
}

// Run Python's text: what it tells goes to the page, but for the one kind that is its answer.
function turn(code, answer) {
  let answered = null, said = "";
  take = (message) => {
    if (message.kind === answer) answered = message; else postMessage(message);
    if (message.name === "stderr") said = message.text.trim() || said;
  };
  const text = new TextEncoder().encode(code), at = python.exports.host_alloc(text.length) >>> 0;
  new Uint8Array(python.wasi.memory.buffer).set(text, at);
  python.exports.turn(at, text.length);
  if (!answered) throw new Error(said || "Python did not answer.");
  return answered;
}

const call = (name, ...values) => `import afterfit_live, json\nafterfit_live.${name}(*json.loads(${JSON.stringify(JSON.stringify(values))}))`;

function run({cells}) {
  const {error, written} = turn(call("run", cells), "end");
  const rows = written.map((name) => [name, contents(python.work.get(name))]);
  return {error, rows: rows.length ? Object.fromEntries(rows) : null};
}

const contents = ({data, size}) => data.slice(0, size);

const tasks = {
  open: ({name, part}) => opened(name, part, null, (more) => postMessage({kind: "more", more})),
  load: async (message) => { await load(message); turn(call("start", message.settings.imports), "answer"); },
  put: ({name, data}) => { put(python.work, name, file(data)); },
  columns: ({name, options}) => turn(call("columns", name, options), "answer").value,
  run,
  memory: () => python.wasi.memory.buffer.byteLength,
};

let queue = Promise.resolve();
onmessage = ({data: message}) => {
  queue = queue.then(async () => {
    try {
      const value = await tasks[message.task](message);
      postMessage({kind: "done", id: message.id, value}, value instanceof Uint8Array ? [value.buffer] : []);
    }
    catch (error) { postMessage({kind: "failed", id: message.id, text: String(error.message || error)}); }
  });
};
