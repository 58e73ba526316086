/* Forms that only lead to another address of the portal, such as a search field: the address changes in place, as it
   does by a link. One rule: a form is sent as the browser would send it, so it works the same before this is loaded. */
(() => {
  "use strict";

  /* lakeport.js follows links; this one stands for the form, so scroll, folds and open panels are kept as for any other. */
  function follow(form) {
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    const link = document.createElement("a");
    link.href = form.action;
    link.search = new URLSearchParams(given);
    link.dataset.lpLink = "";
    link.hidden = true;
    form.append(link);
    link.click();
    link.remove();
  }

  /* Dash makes the form anew; whoever was in it goes on there. Other forms keep the same values in hidden fields. */
  function returnTo(field) {
    const name = `form[data-lp-link] [name="${field.name}"]:not([type=hidden])`;
    const again = () => {
      const found = document.querySelector(name);
      const closed = found?.closest("details:not([open])");
      (closed ? closed.querySelector("summary") : found)?.focus({ preventScroll: true });
    };
    window.addEventListener("lp-drawn", again, { once: true });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-lp-link]") || event.defaultPrevented) return;
    event.preventDefault();
    const field = document.activeElement?.name ? document.activeElement : form.querySelector("input:not([type=hidden])");
    if (field && form.contains(field)) returnTo(field);
    follow(form);
  });
})();
