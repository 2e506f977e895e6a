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

// What the search page quotes comes from a page's text, not from the menus and the space above it.
if (typeof Search !== "undefined") {
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(".headerlink, script, style").forEach((element) => element.remove());
    const place = page.getElementById(anchor?.slice(1)) ?? page.querySelector("article");
    const places = place.matches("dt") ? [place, place.nextElementSibling] : [place];
    return places.map((element) => element.textContent.trim()).join(": ").replace(/\s+/g, " ");
  };
}
