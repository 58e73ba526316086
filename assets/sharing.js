/* Sharing: the button that copies the address of what is shown. One rule: it says that it is done, or how to do it by hand. */
(() => {
  "use strict";

  const COPIED_FOR_MS = 2000;

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-lp-copy]");
    if (button) copyAddress(button);
  });

  async function copyAddress(button) {
    const words = button.querySelector("[data-lp-words]") || button;
    if (button.dataset.lpBefore) return; // still says that it is done
    const done = await copy(location.href);
    button.dataset.lpBefore = words.textContent;
    words.textContent = done ? "Copied" : "Copy it from the address bar";
    setTimeout(() => {
      words.textContent = button.dataset.lpBefore;
      delete button.dataset.lpBefore;
    }, COPIED_FOR_MS);
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text); // no permission, or no secure connection
    }
  }

  function copyBySelection(text) {
    const field = document.createElement("textarea");
    const focused = document.activeElement;
    field.value = text;
    field.className = "lp-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return done;
  }
})();
