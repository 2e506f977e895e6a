// A stand-in for the engine: answers what a test put into `window.standin`, and remembers what it was asked.
"use strict";
window.standin = { calls: [], table: [{ name: "height", kind: "number" }, { name: "kind", kind: "text" }], outputs: [], records: {}, rows: null, error: null, hangs: false, ...window.standin };
window.afterfitEngine = {
  bytes: 26_100_000,
  versions: { python: "3.15.0", numpy: "2.5.2" },
  supported: () => !window.standin.isOld,
  async load(onProgress) {
    standin.calls.push(["load"]);
    for (const done of [0, 13_050_000, 26_100_000]) onProgress({ stage: "bytes", done, total: 26_100_000, text: "" });
    onProgress({ stage: "imports", done: 0, total: 0, text: "pandas" });
    this.onProgress = onProgress;
  },
  async putFile(name, bytes) {
    standin.calls.push(["putFile", name, new TextDecoder().decode(bytes)]);
    return `/data/${name}`;
  },
  async columns(name, options) {
    standin.calls.push(["columns", name, options]);
    return standin.table;
  },
  run(cells, onOutput) {
    standin.calls.push(["run", cells]);
    return new Promise((resolve, reject) => {
      this.reject = reject;
      this.onProgress({ stage: "cell", done: 1, total: cells.length, text: "" });
      if (standin.hangs) return;
      for (const { cell, ...output } of standin.outputs) onOutput({ cell: cell ?? cells.findIndex(({ tags }) => tags.includes("data")), ...output });
      resolve({ records: standin.records, rows: standin.rows && { "rows.csv": new TextEncoder().encode(standin.rows) }, error: standin.error });
    });
  },
  stop() {
    standin.calls.push(["stop"]);
    this.reject?.(new Error("stopped"));
  },
};
