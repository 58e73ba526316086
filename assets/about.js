/* The menu of a card, and the panel that explains a number. One rule: everything here also works without: the table
   unfolds by its own words, the panel closes by its link, and its text can be marked and copied. */
(() => {
  "use strict";

  const COPIED_FOR_MS = 2000;
  const panel = () => document.querySelector("[data-lp-about]");

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.hasAttribute("data-lp-table")) unfold(button);
    if (button?.hasAttribute("data-lp-copy-text")) copyText(button);
  });

  function unfold(button) {
    const fold = button.closest(".lp-card").querySelector("details.lp-fold");
    button.closest("details.lp-pop").open = false;
    fold.open = true;
    fold.querySelector("summary").focus();
  }

  /* The text is marked too, so that it can be copied by hand where the browser refuses. */
  function copyText(button) {
    getSelection().selectAllChildren(document.getElementById(button.dataset.lpCopyText));
    const words = button.firstElementChild;
    button.dataset.lpBefore ??= words.textContent;
    words.textContent = document.execCommand("copy") ? "Copied" : "Marked: copy it";
    setTimeout(() => { words.textContent = button.dataset.lpBefore; }, COPIED_FOR_MS);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("details.lp-pop[open]")) panel()?.querySelector("[data-lp-close]").click();
  }, true);

  /* Who opens the panel is in it at once; who goes on filtering stays where they are. */
  let known = "";

  window.addEventListener("lp-drawn", () => requestAnimationFrame(() => {
    const label = panel()?.getAttribute("aria-label") || "";
    if (label && label !== known) panel().focus({ preventScroll: true });
    known = label;
  }));
})();
