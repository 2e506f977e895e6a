// An editable table of classes by clusters, with what each measure says of it.
"use strict";
(() => {
  const START = [[50, 10, 0], [8, 40, 2], [0, 5, 35]];
  const choose2 = (n) => (n * (n - 1)) / 2;
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  // The largest total of one cell per row and column, over all ways of matching rows to columns.
  function matched(table) {
    const known = new Map();
    const best = (row, used) => {
      if (row === table.length) return 0;
      const key = `${row},${used}`;
      if (!known.has(key)) {
        let most = best(row + 1, used); // a class may stay without a cluster
        table[row].forEach((count, k) => {
          if (!(used & (1 << k))) most = Math.max(most, count + best(row + 1, used | (1 << k)));
        });
        known.set(key, most);
      }
      return known.get(key);
    };
    return best(0, 0);
  }

  function entropy(sizes, n) {
    return -sum(sizes.filter(Boolean).map((size) => (size / n) * Math.log(size / n)));
  }

  // Expected mutual information of two partitions with these sizes (Vinh, Epps and Bailey 2010).
  function expectedInformation(rows, columns, n) {
    const { logGamma } = Moving, logs = Array.from({ length: n + 1 }, (_, k) => logGamma(k + 1));
    let total = 0;
    for (const a of rows) for (const b of columns) {
      for (let c = Math.max(1, a + b - n); c <= Math.min(a, b); c++) {
        const chance = logs[a] + logs[b] + logs[n - a] + logs[n - b] - logs[n] - logs[c] - logs[a - c] - logs[b - c] - logs[n - a - b + c];
        total += (c / n) * Math.log((n * c) / (a * b)) * Math.exp(chance);
      }
    }
    return total;
  }

  function measures(table) {
    const rows = table.map(sum), columns = table[0].map((_, k) => sum(table.map((row) => row[k])));
    const n = sum(rows), cells = table.flat();
    const pairs = sum(cells.map(choose2)), ofClasses = sum(rows.map(choose2)), ofClusters = sum(columns.map(choose2));
    const expected = (ofClasses * ofClusters) / choose2(n), most = (ofClasses + ofClusters) / 2;
    const squares = (sizes) => sum(table.flatMap((row, i) => row.map((c, k) => c && (c * c) / sizes(i, k)))) / n;
    const precision = squares((i, k) => columns[k]), recall = squares((i) => rows[i]);
    const information = sum(table.flatMap((row, i) => row.map((c, k) => c && (c / n) * Math.log((n * c) / (rows[i] * columns[k])))));
    const mean = (entropy(rows, n) + entropy(columns, n)) / 2, chance = expectedInformation(rows.filter(Boolean), columns.filter(Boolean), n);
    return {
      "purity": sum(columns.map((_, k) => Math.max(...table.map((row) => row[k])))) / n,
      "inverse purity": sum(table.map((row) => Math.max(...row))) / n,
      "matched accuracy": matched(table) / n,
      "B-cubed F": (2 * precision * recall) / (precision + recall),
      "adjusted Rand index": most === expected ? 1 : (pairs - expected) / (most - expected),
      "normalized mutual information": mean ? information / mean : 1,
      "adjusted mutual information": mean === chance ? 1 : (information - chance) / (mean - chance),
    };
  }

  Moving.formulas.agreement = measures;
  Moving.figure("agreement", {
    title: "Edit the table",
    about: "Rows are classes, columns are clusters. Change a count, or split the largest cluster and see which measures mind.",
    build({ controls, show, say, redraw }) {
      let table = START.map((row) => [...row]), before = measures(table);
      const keep = () => { before = measures(table); };
      const split = Moving.element("button", { type: "button" }, "Split the largest cluster");
      const reset = Moving.element("button", { type: "button" }, "Start again");
      controls.append(split, reset);
      split.onclick = () => {
        if (table[0].length > 7) return;
        keep();
        const sizes = table[0].map((_, k) => sum(table.map((row) => row[k]))), largest = sizes.indexOf(Math.max(...sizes));
        table = table.map((row, i) => {
          const half = i % 2 ? Math.ceil(row[largest] / 2) : Math.floor(row[largest] / 2);
          return [...row.slice(0, largest), row[largest] - half, half, ...row.slice(largest + 1)];
        });
        redraw();
      };
      reset.onclick = () => { table = START.map((row) => [...row]); keep(); redraw(); };
      return () => {
        const { element } = Moving, body = element("tbody");
        table.forEach((row, i) => body.append(element("tr", {}, element("th", { scope: "row" }, `class ${i + 1}`), ...row.map((count, k) => {
          const input = element("input", { type: "number", min: 0, max: 999, value: count, "aria-label": `class ${i + 1}, cluster ${k + 1}` });
          input.onchange = () => {
            const given = Math.min(999, Math.max(0, Math.round(Number(input.value) || 0)));
            keep();
            if (sum(table.flat()) - table[i][k] + given > 1) table[i][k] = given;
            redraw();
            body.querySelectorAll("input")[i * table[0].length + k]?.focus();
          };
          return element("td", {}, input);
        }))));
        const head = element("tr", {}, element("td"), ...table[0].map((_, k) => element("th", { scope: "col" }, `cluster ${k + 1}`)));
        const now = measures(table), list = element("dl", { class: "moving-measures" });
        for (const [name, value] of Object.entries(now)) {
          const change = value - before[name];
          list.append(element("dt", {}, name), element("dd", {}, value.toFixed(3), Math.abs(change) < 5e-4 ? "" : ` (${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(3)})`));
        }
        show(element("div", { class: "moving-columns" }, element("table", {}, element("thead", {}, head), body), list));
        const fell = Object.keys(now).filter((name) => now[name] < before[name] - 5e-4), rose = Object.keys(now).filter((name) => now[name] > before[name] + 5e-4);
        const joined = (names) => names.join(", ");
        say(fell.length + rose.length ? `${rose.length ? `Up: ${joined(rose)}. ` : ""}${fell.length ? `Down: ${joined(fell)}.` : ""}` : `Purity is ${now.purity.toFixed(3)}, the adjusted Rand index ${now["adjusted Rand index"].toFixed(3)}.`);
      };
    },
  });
})();
