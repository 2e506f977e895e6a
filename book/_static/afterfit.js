// What scrolls by itself can be reached by keyboard; what does not scroll is no stop on the way.
function letScrollersTakeFocus() {
  const scrollers = document.querySelectorAll(
    ".pst-scrollable-table-container, div.highlight pre, .cell_output .output, div.math"
  );
  for (const scroller of scrollers) {
    if (scroller.scrollWidth > scroller.clientWidth) {
      scroller.tabIndex = 0;
    } else {
      scroller.removeAttribute("tabindex");
    }
  }
}

window.addEventListener("load", letScrollersTakeFocus);
window.addEventListener("resize", letScrollersTakeFocus);

// pip can take the package from this site, where it is one.
function nameThisSite() {
  if (!location.protocol.startsWith("http")) return;
  for (const box of document.querySelectorAll(".install")) {
    const line = box.querySelector("pre");
    const file = box.querySelector("a")?.href;
    if (line && file && !line.textContent.includes("://")) {
      line.textContent = `pip install "afterfit[plot] @ ${file}"`;
    }
  }
}

// --- terms of the glossary explain themselves, under the mouse and by keyboard ---

function explainTerms() {
  const box = document.createElement("div");
  box.id = "afterfit-definition";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let term = null;
  let leaving = 0;

  const hide = () => {
    box.hidden = true;
    term?.removeAttribute("aria-describedby");
    term = null;
  };
  const show = (link) => {
    clearTimeout(leaving);
    if (term === link) return;
    hide();
    term = link;
    box.textContent = link.dataset.definition;
    box.hidden = false;
    link.setAttribute("aria-describedby", box.id);
    const place = link.getClientRects()[0];
    const room = document.documentElement.clientWidth - box.offsetWidth - 8;
    box.style.left = `${Math.max(8, Math.min(place.left, room)) + window.scrollX}px`;
    const above = place.top - box.offsetHeight - 6;
    const below = link.getBoundingClientRect().bottom + 6;
    box.style.top = `${(above > 0 ? above : below) + window.scrollY}px`;
  };
  const leave = () => {
    leaving = setTimeout(hide, 200);
  };

  for (const link of document.querySelectorAll("a[data-definition]")) {
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("focus", () => show(link));
    link.addEventListener("mouseleave", leave);
    link.addEventListener("blur", hide);
  }
  box.addEventListener("mouseenter", () => clearTimeout(leaving));
  box.addEventListener("mouseleave", leave);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

// --- tables that can be sorted ---

const UNITS = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, s: 1, MB: 1e6 };

function valueOf(cell) {
  const text = cell.textContent.trim();
  const [, number, unit] = text.match(/^([\d.,]+) ?(\S*)$/) ?? [];
  return number === undefined ? text : parseFloat(number.replaceAll(",", "")) * (UNITS[unit] ?? 1);
}

function sortBy(table, place, head) {
  const isUp = head.getAttribute("aria-sort") !== "ascending";
  table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const body = table.tBodies[0];
  const compare = (one, other) => {
    const [a, b] = [one, other].map((row) => valueOf(row.cells[place]));
    const order = typeof a === "number" && typeof b === "number" ? a - b : `${a}`.localeCompare(b);
    return isUp ? order : -order;
  };
  body.append(...[...body.rows].sort(compare));
}

function letTablesSort() {
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent.trim();
      head.replaceChildren(button);
      button.addEventListener("click", () => sortBy(table, place, head));
    });
  }
}

// --- the page of error messages: a message pasted as Python prints it finds its entry ---

// Without the name of the error before it, and the file behind it.
const bare = (message) =>
  message
    .replace(/^[\s\S]*?\b\w*(?:Error|Warning|Exception):\s*/, "")
    .replace(/\s*\((?:[A-Za-z]:)?[\\/][^)]*\)\s*$/, "")
    .trim();

function matches(entry, query) {
  const shown = entry.querySelector(".message").textContent.toLowerCase();
  const all = entry.textContent.toLowerCase();
  return query.includes(shown.trim()) || query.split(/\s+/).every((word) => all.includes(word));
}

function letMessagesBeFiltered() {
  const entries = [...document.querySelectorAll("article .error-message")];
  if (!entries.length) return;
  const box = document.createElement("form");
  box.className = "filter";
  box.innerHTML =
    '<label for="filter">Your message</label><input id="filter" type="search" autocomplete="off">' +
    '<p role="status"></p>';
  box.addEventListener("submit", (event) => event.preventDefault());
  const input = box.querySelector("input");
  entries[0].closest("section").before(box);
  input.addEventListener("input", () => {
    const query = bare(input.value).toLowerCase();
    entries.forEach((entry) => (entry.hidden = Boolean(query) && !matches(entry, query)));
    const left = entries.filter((entry) => !entry.hidden).length;
    box.querySelector("p").textContent = query ? `${left} of ${entries.length} messages` : "";
  });
  input.value = new URLSearchParams(location.search).get("message") ?? "";
  input.dispatchEvent(new Event("input"));
}

document.addEventListener("DOMContentLoaded", () => {
  nameThisSite();
  explainTerms();
  letTablesSort();
  letMessagesBeFiltered();
});

// --- search ---

if (typeof Search !== "undefined") {
  // What the search page quotes is a page's prose: no menus, no code, no raw mathematics.
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const idle = ".headerlink, script, style, pre, .cell, .math, .install, .without, .live, table, nav";
    const place = page.getElementById(anchor?.slice(1)) ?? page.querySelector("article");
    const places = place.matches("dt") ? [place, place.nextElementSibling] : [place];
    places.forEach((element) => element.querySelectorAll(idle).forEach((part) => part.remove()));
    return places.map((element) => element.textContent.trim()).join(": ").replace(/\s+/g, " ");
  };

  // A message is searched for by what every reader of it shares. What is a message leads to the page
  // of messages first, any other words to pages before entries of the API.
  const perform = Search.performSearch;
  Search.performSearch = (query) => {
    const isMessage = /^[\s\S]*Error:|No module named|cannot import name|has no attribute/.test(query);
    Scorer.score = ([page, , , , score]) => {
      if (page === "book/glossary") return score - 80; // a chapter explains more
      if (page === "book/errors") return score + (isMessage ? 100 : 0);
      return score + (page.startsWith("book/chapters/") || page === "book/welcome" ? 12 : 0);
    };
    // "mixture's" is no word of the index, "mixture" is.
    return perform((bare(query) || query).replace(/['’]s\b/g, ""));
  };
}
