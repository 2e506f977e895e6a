// The fields of a form: a parameter each, and the columns of the table to choose from.
"use strict";
(() => {
  Live.make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const { make } = Live;

  // What is no number goes on as it is: the chapter says what is wrong with it.
  const numberOrText = (text) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : text);
  const control = (field) => field.querySelector(".live-value");

  const ownValue = (field) => JSON.parse(field.dataset.default);

  function valueOf(field) {
    const { type } = field.dataset, text = control(field).value, lines = text.split("\n").filter(Boolean);
    if (type === "list[str]") return lines;
    if (Array.isArray(ownValue(field))) return lines.map(numberOrText);
    if (type === "bool") return text === "True";
    if (type === "int" || type === "float") return text.trim() ? numberOrText(text) : ownValue(field);
    return text;
  }

  const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  Live.fields = (box) => {
    const all = [...box.querySelectorAll(".live-field[data-name]")];
    const ofColumns = all.filter(({ dataset }) => /_columns?$/.test(dataset.name));
    return {
      // What differs from the chapter's own, by name.
      changed() {
        const named = all.map((field) => [field.dataset.name, valueOf(field), ownValue(field)]);
        return Object.fromEntries(named.filter(([, value, own]) => !isSame(value, own)));
      },
      // Columns of [{name, kind}]; null where they are not known, and their names are written.
      offer(columns) {
        for (const field of ofColumns) (field.dataset.type === "str" ? offerOne : offerMany)(field, columns);
      },
      // The chapter's own columns, or those with which the form began: what the table has.
      restoreColumns(columns) {
        const isThere = (name) => columns.some((one) => one.name === name);
        for (const field of ofColumns) {
          const wanted = [field.dataset.default, field.dataset.first].map((text) => [JSON.parse(text)].flat());
          control(field).value = (wanted.find((names) => names.every(isThere)) ?? wanted[0]).join("\n");
        }
      },
      emptyColumns() {
        for (const field of ofColumns) control(field).value = "";
      },
    };
  };

  function offerOne(field, columns) {
    const old = control(field), now = columns ? make("select") : make("input", { type: "text", spellcheck: "false" });
    for (const name of ["id", "class", "aria-describedby"]) now.setAttribute(name, old.getAttribute(name));
    if (columns) {
      const isOptional = ownValue(field) === "";
      now.append(new Option(isOptional ? "(none)" : "(choose a column)", ""));
      for (const { name, kind } of columns) now.append(new Option(kind ? `${name} (${kind})` : name, name));
    }
    now.value = !columns || columns.some(({ name }) => name === old.value) ? old.value : "";
    old.replaceWith(now);
  }

  function offerMany(field, columns) {
    field.querySelector(".live-choices")?.remove();
    if (!columns) return;
    const text = control(field), chosen = () => text.value.split("\n").filter(Boolean);
    text.value = chosen().filter((one) => columns.some(({ name }) => name === one)).join("\n");
    const choices = make("div", { class: "live-choices", role: "group", "aria-label": `Columns for ${field.dataset.name}`, tabindex: "0" });
    for (const { name, kind } of columns) {
      const box = make("input", { type: "checkbox", value: name });
      const label = make("label", {}, box, kind ? `${name} (${kind})` : name);
      box.addEventListener("change", () => {
        text.value = (box.checked ? [...chosen(), name] : chosen().filter((one) => one !== name)).join("\n");
        tick();
      });
      choices.append(label);
    }
    const tick = () => {
      for (const box of choices.querySelectorAll("input")) box.checked = chosen().includes(box.value);
      text.rows = Math.min(8, Math.max(2, chosen().length));
    };
    text.oninput = tick;
    tick();
    field.append(choices);
  }
})();
