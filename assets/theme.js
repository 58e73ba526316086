/* The theme before the first paint: a browser that has not chosen gets what its system prefers.
   It is written to the cookie at once, so that the server draws its figures in the same theme. */
(() => {
  "use strict";
  const root = document.documentElement;
  const said = document.cookie.match(/(?:^|; )lakeport_theme=(dark|light)(?:;|$)/);
  if (said) {
    root.dataset.bsTheme = said[1];
    return;
  }
  const theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.bsTheme = theme;
  document.cookie = `lakeport_theme=${theme}; Path=${root.dataset.base || ""}/; SameSite=Lax; Max-Age=31536000`;
})();
