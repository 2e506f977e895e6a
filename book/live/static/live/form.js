// "Try it on your own table": the form, the command that it writes, and a run in this page.
"use strict";
(() => {
  const { make } = Live, engine = window.afterfitEngine ?? null;
  const isRunnable = Boolean(engine?.supported());
  let isLoaded = false;
  let stopOther = null; // what stops the form that is at work: the engine does one thing at a time

  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

  function setUp(box) {
    const find = (name) => box.querySelector(`.live-${name}`);
    const form = find("form"), stem = box.dataset.stem;
    const cells = JSON.parse(box.querySelector("script.live-cells").textContent);
    const fields = Live.fields(box);
    const state = { file: null, turn: 0 };

    // What differs from the chapter's own, by name.
    function changed() {
      const bundled = find("data");
      const data = state.file?.name ?? bundled.value;
      return { ...(data === bundled.dataset.own ? {} : { data }), ...fields.changed() };
    }

    // --- the command ---

    function writeCommands() {
      const values = changed();
      if (find("part").value === "data") values.part = "data";
      if (find("rows").value) values.rows = find("rows").value;
      find("papermill").textContent = Live.papermill(stem, values);
      find("afterfit").textContent = Live.afterfit(stem, values) ?? "# A name with a double quote or a space at its end needs papermill's command.";
    }

    async function copy(button) {
      const block = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
        say("Copied.");
      } catch {
        getSelection().selectAllChildren(block);
        button.textContent = "Selected";
        say("Selected: copy it by Ctrl+C.");
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    }

    // --- the columns to choose from ---

    function offer(columns) {
      fields.offer(columns);
      writeCommands();
    }

    const bundledColumns = () => find("data").selectedOptions[0].dataset.columns.split("\n").map((name) => ({ name }));

    async function chooseTable() {
      state.file = find("file").files[0] ?? null;
      find("forget").hidden = !state.file;
      find("data").disabled = Boolean(state.file);
      if (!state.file) {
        offer(null);
        fields.restoreColumns(bundledColumns());
        offer(bundledColumns());
        tellTable("");
        find("read").hidden = true;
      } else {
        await offerNames(true);
        if (isLoaded) await readTable();
      }
    }

    // All at once, when it is known: what moves under the mouse takes the click away.
    async function offerNames(isNew) {
      const names = await Live.namesOf(state.file, reading().separator);
      if (!names) offer(null);
      if (!names && isNew) fields.emptyColumns(); // the chapter's own say nothing about it
      offer(names?.map((name) => ({ name })) ?? null);
      tellTable(names ? `${names.length} columns to choose from.` : "Write the names of its columns as they are in the file.");
      find("read").hidden = !isRunnable || Boolean(names);
    }

    // How the file is written, where the reader says it.
    function reading() {
      const said = Object.entries(fields.changed()).filter(([name]) => ["separator", "decimal", "missing"].includes(name));
      return Object.fromEntries(said);
    }

    const tellTable = (text, isError = false) => {
      find("table").textContent = text;
      find("table").classList.toggle("live-error", isError);
    };

    // The engine reads the table as the chapter does, and says the kinds of its columns.
    async function readTable() {
      await whileRunning(async () => {
        const found = await engine.columns(await put(), reading());
        if (found.error) tellTable(found.error, true);
        else {
          offer(found);
          tellTable(`${found.length} columns to choose from.`);
          find("read").hidden = true;
        }
        say("");
      });
    }

    // --- a run ---

    const say = (text) => { if (find("status").textContent !== text) find("status").textContent = text; };

    function progress({ stage, done = 0, total = 0, text = "" }) {
      const bar = find("progress");
      if (total) bar.value = done / total; else bar.removeAttribute("value");
      if (stage === "bytes") {
        const tenth = total * Math.floor((10 * done) / total) / 10 || 0;  // said ten times, not a thousand
        say(`Transferring Python: ${megabytes(tenth)} of ${megabytes(total)}`);
      } else if (stage === "imports") say(text ? `Starting Python: ${text}` : "Starting Python");
      else say(`Running cell ${done} of ${total}`);
    }

    async function put() {
      await engine.load(progress);
      isLoaded = true;
      if (!state.file) return find("data").value;
      return engine.putFile(state.file.name, new Uint8Array(await state.file.arrayBuffer()));
    }

    // Buttons and bar while something runs; a run that was stopped says so.
    async function whileRunning(work) {
      if (stopOther !== stop) stopOther?.();
      stopOther = stop;
      const turn = ++state.turn;
      for (const name of ["run", "read"]) find(name).disabled = true;
      find("stop").hidden = find("progress").hidden = false;
      try {
        await work();
      } catch (error) {
        if (turn === state.turn) say(`This did not work: ${error?.message ?? error}`);
      }
      if (turn === state.turn) atRest();
    }

    function atRest() {
      if (stopOther === stop) stopOther = null;
      for (const name of ["run", "read"]) find(name).disabled = false;
      find("stop").hidden = find("progress").hidden = true;
      find("run").textContent = isLoaded ? "Run in this page" : `Run in this page (transfers ${megabytes(engine.bytes)}, once)`;
    }

    function stop() {
      state.turn++;
      engine.stop();
      isLoaded = false;
      atRest();
      say("Stopped.");
      find("run").focus();
    }

    async function run() {
      await whileRunning(async () => {
        const start = performance.now();
        const data = await put();
        const values = { ...changed(), part: "data", rows: "rows.csv" };
        if (state.file) values.data = data;
        const passed = Live.withValues(cells, values);
        const places = Live.places(cells), title = begin(places);
        const found = await engine.run(passed.map(({ source, tags }) => ({ source, tags })), (output) => {
          const { place } = passed[output.cell];
          Live.show(places[place], cells[place], output);
        });
        finish(title, places, found, (performance.now() - start) / 1000);
      });
    }

    function begin(places) {
      const title = make("h3", {}, `${state.file?.name ?? find("data").value}: ${box.dataset.question}`);
      find("result").replaceChildren(title, ...places);
      find("result").hidden = false;
      return title;
    }

    function finish(title, places, { records, rows, error }, seconds) {
      if (error) {
        title.after(make("p", { class: "live-error", role: "alert" }, error));
        say("The run has stopped with an error.");
      } else {
        Live.writeValues(places, records);
        say(`Done in ${seconds.toFixed(1)} s.`);
      }
      for (const [name, bytes] of Object.entries(rows ?? {})) find("result").append(saver(name, bytes));
      find("result").append(make("p", { class: "live-versions" }, versionsText()));
    }

    function saver(name, bytes) {
      const link = make("a", { class: "live-save", download: `${stem}-${name}` }, `Save the rows: ${stem}-${name} (${bytes.length.toLocaleString("en")} bytes)`);
      link.href = URL.createObjectURL(new Blob([bytes], { type: "text/csv" }));
      return make("p", {}, link);
    }

    function versionsText() {
      const listed = (found) => Object.entries(found).map((pair) => pair.join(" ")).join(", ");
      return `Run in this page with ${listed(engine.versions)}. The book was built with ${listed(JSON.parse(box.dataset.versions))}.`;
    }

    // --- what the form is here ---

    const ABOUT = {
      run: "The chapter's own cells run on it in this page. Nothing is sent anywhere: your file stays on this machine.",
      unsupported: "This browser cannot run Python with this book (Chrome and Edge can from 137, Firefox from 131, Safari from 18.4). The command below does the same in a terminal.",
      none: "What you choose here becomes a command for your terminal. Nothing is sent anywhere.",
    };

    find("about").textContent = ABOUT[isRunnable ? "run" : engine ? "unsupported" : "none"];
    if (!isRunnable) {
      find("command").open = true;
      find("command").querySelector("summary").textContent = "The command";
    }
    if (isRunnable) {
      find("run").hidden = false;
      find("read").textContent = `Read its columns (transfers ${megabytes(engine.bytes)}, once)`;
      atRest();
    }
    form.addEventListener("submit", (event) => { event.preventDefault(); if (isRunnable) run(); });
    form.addEventListener("input", writeCommands);
    form.addEventListener("change", writeCommands);
    find("stop").addEventListener("click", stop);
    find("read").addEventListener("click", readTable);
    find("file").addEventListener("change", chooseTable);
    find("data").addEventListener("change", chooseTable);
    find("reading").addEventListener("change", () => { if (state.file) offerNames(false); });
    find("forget").addEventListener("click", () => { find("file").value = ""; chooseTable(); find("file").focus(); });
    for (const button of box.querySelectorAll(".live-copy")) { button.addEventListener("click", () => copy(button)); }
    offer(bundledColumns());
    box.hidden = false;
  }

  // On the page of its own, one chapter at a time.
  function chooseChapter(boxes) {
    const select = make("select", { id: "live-chapter" });
    for (const box of boxes) select.append(new Option(box.dataset.title, box.dataset.stem));
    const show = () => { for (const box of boxes) box.hidden = box.dataset.stem !== select.value; };
    select.value = boxes.some((box) => location.hash === `#live-${box.dataset.stem}`) ? location.hash.slice(6) : boxes[0].dataset.stem;
    select.addEventListener("change", show);
    boxes[0].before(make("p", { class: "live-chapter" }, make("label", { for: "live-chapter" }, "The question"), select));
    for (const each of document.querySelectorAll(".live-static")) each.hidden = true;
    show();
  }

  const boxes = [...document.querySelectorAll(".live[data-stem]")];
  boxes.forEach(setUp);
  if (document.querySelector(".live-static")) chooseChapter(boxes);
})();
