/* Content that the server has written as HTML (portal/markup.py), put into the element that brings it: before the
   next paint, and before lakeport.js looks at the page: scripts are loaded by their names, and observers hear in that order. */
(() => {
  "use strict";
  const HTML = "data-lp-html";

  function settle() {
    for (const element of document.querySelectorAll(`[${HTML}]`)) {
      element.innerHTML = element.getAttribute(HTML);
      element.removeAttribute(HTML);
    }
  }

  new MutationObserver(settle).observe(document.documentElement, { attributeFilter: [HTML], childList: true, subtree: true });
})();
