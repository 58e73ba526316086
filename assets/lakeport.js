/* What pages do in the browser beside Dash: links, popovers, theme, menu, the sheet of filters on a phone, the editor
   for statements, and what happens to requests that are slow or fail. One rule:
   everything listens on the document, so nothing here knows when Dash draws a part of the page again.
   With follow.js it speaks by events on the window: `lp-again` asks for the page to be drawn again (refused while it is
   being drawn anyway), `lp-drawn` says that it was; `lp-lost` and `lp-found` say how a request of Dash went; `lp-signed-out`
   that the login has ended. */
(() => {
  "use strict";

  const root = document.documentElement;
  const base = root.dataset.base || "";
  const STORE = "shell-theme"; // the router draws the page again, figures included, when its data change
  const TOAST_TEXT = "lp-toast-text";
  const BUSY_AFTER_MS = 200;
  const SLOW_AFTER_MS = 2000;
  const YEAR_SECONDS = 31536000;
  const LONGEST_SEARCH = 7000; // of an address in characters; the server takes a little more
  const REFUSED = "The portal refused this. Load the page again, or log in again.";
  const NO_ANSWER = "The portal does not answer. It will be tried again when you do something.";
  const SIGNED_OUT = "Your login has ended. Copy what you have written, then load the page again.";

  const SCROLLING = ".lp-pop-body, .lp-scroll";

  const said = (name, value) => window.dash_clientside?.set_props?.(name, value);

  /* ---------- Links inside the portal: a new address without a new document ---------- */

  function follow(event, link) {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!plain || link.origin !== location.origin || event.defaultPrevented) return;
    event.preventDefault();
    if (link.href === location.href) return;
    const samePage = link.pathname === location.pathname;
    remember(samePage ? link : null);
    history.pushState({}, "", link.href);
    window.dispatchEvent(new PopStateEvent("popstate")); // dcc.Location listens to it
    if (!samePage) window.scrollTo(0, 0);
  }

  /* ---------- What was open and focused, for Dash makes every element of a page anew ---------- */

  let kept = null;

  const like = (element) => all(element.tagName).filter((one) => one.className === element.className);
  const words = (element) => element.firstElementChild?.textContent || element.textContent;
  const alike = (element) => like(element).filter((one) => words(one) === words(element));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const named = (element) => element.getAttribute("aria-label");
  const titled = (details) => `${named(details.closest("section, main") ?? root)} ${words(details.querySelector("summary"))}`;

  function remember(element) {
    kept = {
      main: document.querySelector("main"),
      element,
      place: element && alike(element).indexOf(element),
      open: new Set(all("details[open]").filter((details) => element && !closes(details, element)).map(titled)),
      y: scrollY,
      scrolled: new Map(all(SCROLLING).map((one) => [named(one), one.scrollTop])),
      hasFilters: document.querySelector(".lp-filters.is-open") !== null,
      written: field()?.value,
      typed: [],
    };
  }

  const closes = (details, element) => details.matches(".lp-pop") && !element.hasAttribute("data-lp-keep");

  function restore() {
    const { element, place, open, y, scrolled, hasFilters, written, typed } = kept;
    kept = null;
    if (!element) return document.querySelector("main")?.focus({ preventScroll: true }); // another page is read from its start
    all("details").forEach((details) => { details.open = open.has(titled(details)); });
    all(SCROLLING).forEach((one) => { one.scrollTop = scrolled.get(named(one)) ?? 0; });
    const button = document.querySelector("[data-lp-filters]");
    if (hasFilters && button) openFilters(button);
    if (field() && written !== undefined) rewrite(written);
    afterEffects(() => typed.forEach((one) => fill(one)));
    const found = alike(element)[place];
    const closed = found?.closest("details:not([open])");
    (closed ? closed.querySelector("summary") : found)?.focus({ preventScroll: true });
    window.scrollTo(0, y); // the browser has followed what it took for the content that moved
  }

  /* It runs after Dash has put the new elements in, and before they are painted. */
  let drawn = null;

  new MutationObserver(() => {
    const main = document.querySelector("main");
    if (kept && !kept.main?.isConnected && main) restore();
    if (main && main !== drawn) show(main);
    goToNewPlace();
  }).observe(root, { childList: true, subtree: true });

  function show(main) {
    drawn = main;
    document.querySelector(".lp-waiting")?.remove();
    document.title = `${document.querySelector("h1").textContent} · Lakeport`;
    window.dispatchEvent(new Event("lp-drawn"));
  }

  window.addEventListener("popstate", (event) => {
    if (event.isTrusted) kept = null; // back and forward
  });

  /* ---------- The same page drawn again, because its data or the theme have changed ---------- */

  const typedIn = new WeakSet();
  const fields = () => all(".lp-page input:not([type=hidden])");

  document.addEventListener("input", (event) => typedIn.add(event.target));

  function drawAgain(store = STORE, element = document.activeElement) {
    remember(element);
    kept.typed = fields().flatMap((one, place) => (typedIn.has(one) ? [{ place, name: one.name, text: one.value }] : []));
    said(store, { data: `${root.dataset.bsTheme} ${Date.now()}` }); // anything that is not there yet
  }

  /* When Dash's components have set what they were drawn with, which is after the next paint at the latest. */
  const afterEffects = (act) => requestAnimationFrame(() => setTimeout(act));

  /* As if it were typed, for React puts back what it has not heard of. */
  function fill({ place, name, text }) {
    const one = fields()[place];
    if (!one || one.name !== name || one.value === text) return;
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(one, text);
    one.dispatchEvent(new Event("input", { bubbles: true }));
  }

  let isByItself = false; // so that a page that stands open keeps nobody logged in

  window.addEventListener("lp-again", (event) => {
    if (kept || !drawn?.isConnected) return event.preventDefault();
    isByItself = event.detail.isByItself;
    drawAgain();
  });

  /* ---------- Popovers: one at a time, closed by Escape, by a click elsewhere and by a choice ---------- */

  const popovers = () => document.querySelectorAll("details.lp-pop[open]");

  function closePopovers(except) {
    for (const popover of popovers()) if (popover !== except) popover.open = false;
  }

  function escape() {
    for (const popover of popovers()) {
      const hadFocus = popover.contains(document.activeElement);
      popover.open = false;
      if (hadFocus) popover.querySelector("summary").focus();
    }
    closeFilters();
  }

  /* Toggle events do not bubble, but they can be caught on their way down. */
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.lp-pop") && event.target.open) closePopovers(event.target);
  }, true);

  /* ---------- Filters on a phone ---------- */

  function openFilters(button) {
    const filters = button.closest(".lp-filters");
    button.setAttribute("aria-expanded", String(filters.classList.toggle("is-open")));
  }

  function closeFilters() {
    const button = document.querySelector(".lp-filters.is-open [data-lp-filters]");
    if (!button) return;
    const hadFocus = button.closest(".lp-filters").contains(document.activeElement);
    openFilters(button);
    if (hadFocus && button.offsetParent) button.focus();
  }

  /* ---------- Theme ---------- */

  function nameThemeButton(button) {
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    const label = `${next[0].toUpperCase()}${next.slice(1)} theme`;
    if (button.getAttribute("aria-label") === label) return;
    button.setAttribute("aria-label", label);
    button.title = label;
    button.querySelector(".lp-icon")?.classList.replace(...(next === "light" ? ["is-moon", "is-sun"] : ["is-sun", "is-moon"]));
  }

  function switchTheme(button) {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    keep("lakeport_theme", theme);
    nameThemeButton(button);
    if (!field()) drawAgain(button.dataset.lpTheme || STORE, button); // a page with an editor has no figures, and a result that would be gone
    window.dispatchEvent(new CustomEvent("lp-theme", { detail: theme }));
  }

  /* ---------- Menu ---------- */

  function foldMenu(button) {
    const isFolded = root.dataset.menu !== "folded";
    root.dataset.menu = isFolded ? "folded" : "open";
    button.setAttribute("aria-pressed", String(isFolded));
    keep(button.dataset.lpMenu, root.dataset.menu);
  }

  function keep(cookie, value) {
    document.cookie = `${cookie}=${value}; Path=${base}/; SameSite=Lax; Max-Age=${YEAR_SECONDS}`;
  }

  /* ---------- The editor: what is written in it stands in the address, and is never run by being there ---------- */

  const field = () => document.querySelector("[data-lp-editor] textarea");

  function keepStatement() {
    const key = field().closest("[data-lp-editor]").dataset.lpEditor;
    const address = new URL(location.href);
    address.searchParams.set(key, field().value);
    const isWhole = address.search.length <= LONGEST_SEARCH;
    if (!field().value || !isWhole) address.searchParams.delete(key);
    history.replaceState(history.state, "", address);
    return isWhole;
  }

  function rewrite(text) {
    said(field().id, { value: text });
    requestAnimationFrame(() => field() && keepStatement());
  }

  /* As if it were typed, so that it can be undone, and Dash hears of it. */
  function type(text, isAll) {
    field().focus();
    if (isAll) field().select();
    document.execCommand("insertText", false, text);
    keepStatement();
  }

  function run() {
    document.querySelector("[data-lp-run]:not([disabled])")?.click();
  }

  function goToPlace(button) {
    const [start, end] = button.dataset.lpPlace.split(":").map(Number);
    field().focus();
    field().setSelectionRange(start, end);
  }

  /* A mistake that was just found is selected, unless somebody has gone on to something else. */
  function goToNewPlace() {
    const button = document.querySelector("[data-lp-place]:not([data-lp-seen])");
    if (!button) return;
    button.dataset.lpSeen = "";
    if (field() && [field(), document.body].includes(document.activeElement)) goToPlace(button);
  }

  document.addEventListener("change", (event) => {
    if (event.target === field()) keepStatement();
  });

  /* ---------- One listener for clicks, one for the focus, one for keys ---------- */

  /* A form whose action changes or runs something: it proves that it was sent by this page. */
  document.addEventListener("submit", (event) => {
    const token = event.target.matches("[data-lp-token]") && event.target.querySelector("[name=csrf_token]");
    if (token) token.value = document.cookie.match(/(?:^|; )_csrf_token=([^;]*)/)?.[1] || "";
  });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const link = at("a[data-lp-link]");
    const button = at("button");
    if (link) follow(event, link);
    if (button?.hasAttribute("data-lp-theme")) switchTheme(button);
    if (button?.hasAttribute("data-lp-menu")) foldMenu(button);
    if (button?.hasAttribute("data-lp-filters")) openFilters(button);
    if (button?.hasAttribute("data-lp-dismiss")) hush();
    if (button?.hasAttribute("data-lp-run")) keepStatement();
    if (button?.hasAttribute("data-lp-insert")) type(button.dataset.lpInsert, false);
    if (button?.hasAttribute("data-lp-replace")) type(button.dataset.lpReplace, true);
    if (button?.hasAttribute("data-lp-place")) goToPlace(button);
    const chosen = at(".lp-pop-body a");
    if (chosen && !chosen.hasAttribute("data-lp-keep")) closePopovers();
    else closePopovers(at("details.lp-pop"));
  });

  document.addEventListener("focusin", (event) => closePopovers(event.target.closest("details.lp-pop")));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") escape();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === field()) run();
  });

  /* ---------- Requests of Dash: busy, logged out, refused, failed ---------- */

  let slow = 0; // requests that have taken long so far
  let isOurs = false; // the toast says something about requests, so the next answer takes it away
  const plainFetch = window.fetch.bind(window);

  function tell(text) {
    isOurs = true;
    said(TOAST_TEXT, { children: text });
  }

  function hush() {
    isOurs = false;
    said(TOAST_TEXT, { children: null });
  }

  async function tellOf(response) {
    const body = await response.clone().json().catch(() => null); // a proxy may answer with anything
    tell(typeof body?.text === "string" && body.text ? body.text : response.status < 500 ? REFUSED : NO_ANSWER);
  }

  const lost = () => window.dispatchEvent(new Event("lp-lost"));

  function goToLogin() {
    const path = location.pathname.startsWith(`${base}/`) ? location.pathname.slice(base.length) : "/";
    location.assign(`${base}/login?${new URLSearchParams({ next: path + location.search })}`);
    return new Promise(() => {}); // this document is on its way out: no answer, so no error flashes by
  }

  async function answer(input, init) {
    let response;
    try {
      response = await plainFetch(input, init);
    } catch (error) {
      kept = null;
      if (error.name !== "AbortError") lost();
      throw error;
    }
    window.dispatchEvent(new Event("lp-found"));
    if (response.status === 401) return goToLogin();
    if (!response.ok) kept = null;
    if (response.status === 403 || response.status === 429 || response.status >= 500) await tellOf(response);
    else if (isOurs) hush();
    return response;
  }

  window.addEventListener("lp-signed-out", () => (field() && !keepStatement() ? tell(SIGNED_OUT) : goToLogin()));

  async function withBusyLine(response) {
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      slow += 1;
      root.classList.add("lp-busy");
    }, BUSY_AFTER_MS);
    try {
      return await response;
    } finally {
      clearTimeout(timer);
      if (isSlow) slow -= 1;
      if (slow === 0) root.classList.remove("lp-busy");
    }
  }

  /* A page that takes long says that it is still coming; a statement in the editor has words of its own. */
  async function withWords(response) {
    const show = (isSlow) => all("[data-lp-slow]").forEach((words) => { words.hidden = !isSlow; });
    const timer = setTimeout(show, SLOW_AFTER_MS, true);
    try {
      return await response;
    } finally {
      clearTimeout(timer);
      show(false);
    }
  }

  const asksForPage = (init) => String(init?.body).includes('"property":"pathname"');

  window.fetch = (input, init) => {
    const address = String(input?.url ?? input);
    if (!address.includes("/_dash-")) return plainFetch(input, init);
    if (!address.includes("/_dash-update-component")) return answer(input, init);
    if (!asksForPage(init)) return withBusyLine(answer(input, init));
    const headers = { ...init.headers, ...(isByItself ? { "X-Lakeport-Background": "1" } : {}) };
    isByItself = false;
    return withWords(withBusyLine(answer(input, { ...init, headers })));
  };
})();
