/* Where the panel of a popover opens: to the right of its button's left edge, or, where the window ends before it does,
   so far to the left that all of it can be seen. One rule: a panel is moved, never made smaller. */
(() => {
  "use strict";

  const EDGE = 16;

  /* Toggle events do not bubble, but they can be caught on their way down. */
  document.addEventListener("toggle", ({ target }) => {
    const panel = target.matches?.("details.lp-pop[open]") && target.querySelector(":scope > .lp-pop-body");
    if (!panel) return;
    panel.style.translate = "";
    const { left, right } = panel.getBoundingClientRect();
    const over = Math.max(0, right - (document.documentElement.clientWidth - EDGE)) || Math.min(0, left - EDGE);
    if (over) panel.style.translate = `${-over}px 0`;
  }, true);
})();
