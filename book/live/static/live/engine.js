// The boundary between "Try it on your own table" and what runs Python in the page: `afterfitEngine`.
//
// null: there is no engine, and the page shows the command instead. `make live` puts a real one in
// place of this file in the built book (`engine-wasm.js`). Another engine, such as Pyodide, may
// take its place: nothing else in the book knows what is behind these names.
//
//   bytes        how many bytes the first `load` transfers
//   versions     {name: version} of what is inside: python, numpy, ...
//   supported()  whether this browser can run it; cheap, before any transfer
//   load(onProgress) -> Promise
//                transfers, starts Python and imports what the chapters import, once; called again
//                it answers at once. onProgress({stage: "bytes" | "imports" | "cell", done, total,
//                text}), during `run` too ("cell")
//   putFile(name, Uint8Array) -> Promise
//                of the path by which cells open that file: a parameter `data`
//   columns(name, options) -> Promise of [{name, kind}]
//                the columns of a file that was put, or of a bundled table, as
//                `afterfit.datasets.load_table(name, **options)` reads it; kind: "number" or
//                "text"; or of {error: sentence}
//   run(cells, onOutput) -> Promise of {records, rows, error}
//                cells: [{source, tags}], run one after the other in a namespace of their own; the
//                caller puts a cell of chosen values behind the one tagged "parameters", as
//                papermill does: first line "# Parameters", tags ["injected-parameters"].
//                onOutput({cell, data}): cell is the place in `cells`, data a bundle by MIME type
//                ("text/html", "image/svg+xml", "text/plain"); onOutput({cell, name, text}): what
//                was printed, to "stdout" or "stderr".
//                records: {name: {"text/plain": ..., "application/json": ...}} of what was
//                recorded; rows: {name: Uint8Array} of the files that the cells wrote where they
//                run (a parameter `rows` of "rows.csv"), or null; error: the sentence that stopped
//                the run, or null
//   stop()       ends what runs (its promises are rejected); the next `load` starts anew
"use strict";
window.afterfitEngine = null;
