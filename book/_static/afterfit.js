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
