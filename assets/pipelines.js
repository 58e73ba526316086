/* The page Pipelines while it stands open: it follows the runs that are on it, and sends what somebody has ordered.
   One rule: the server writes what is shown, here as on the page (portal/pipelines/live.py); this puts it in the place
   of what was there, piece by piece, so that bars move, the log keeps its place, and nothing is ever taken for HTML
   that was not written by portal/markup.py. */
(() => {
  "use strict";

  const base = document.documentElement.dataset.base || "";
  const RUNNING_MS = 1000;
  const IDLE_MS = 3000;
  const LONGEST_MS = 30000;
  const ANSWER_MS = 10000;
  const TICK_MS = 500;
  const END_PX = 24; // from the end of the log, within which somebody still reads its end
  const TOAST_TEXT = "lp-toast-text";
  const NO_ANSWER = "The portal does not answer. Try again in a moment.";

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const page = () => one("[data-lp-live]");
  const tell = (name, detail) => window.dispatchEvent(new CustomEvent(name, { cancelable: true, detail }));
  const toast = (text) => window.dash_clientside?.set_props?.(TOAST_TEXT, { children: text });

  let timer = null;
  let isAsking = false;
  let failures = 0;
  let tag = null; // of the last answer for the page that is shown
  let ahead = 0; // how far the server's clock is ahead of this one, in ms

  /* ---------- Asking: while somebody can see the page, and there is something to follow ---------- */

  async function ask() {
    clearTimeout(timer);
    const shown = page();
    if (!shown || isAsking || document.visibilityState !== "visible") return;
    isAsking = true;
    try {
      await hear(await fetch(base + shown.dataset.lpLive, {
        headers: { "X-Lakeport-Background": "1", ...(tag ? { "If-None-Match": tag } : {}) },
        cache: "no-store",
        signal: AbortSignal.timeout(ANSWER_MS),
      }), shown);
    } catch {
      failures += 1; // follow.js says that the portal is out of reach
    } finally {
      isAsking = false;
    }
    const every = one("[data-lp-part]") ? RUNNING_MS : IDLE_MS;
    clearTimeout(timer);
    if (failures !== Infinity) timer = setTimeout(ask, Math.min(every * 2 ** failures, LONGEST_MS));
  }

  async function hear(response, shown) {
    if (response.status === 401 || response.status === 403) return void (failures = Infinity); // follow.js leads to the login form
    if (response.status !== 304 && !response.ok) throw new Error(String(response.status));
    failures = 0;
    const date = Date.parse(response.headers.get("Date"));
    if (date) ahead = date - Date.now();
    if (response.status === 304) return;
    const { drawn, parts } = await response.json();
    if (!shown.isConnected) return;
    tag = response.headers.get("ETag");
    for (const [name, html] of Object.entries(parts)) put(one(`[data-lp-part="${CSS.escape(name)}"]`), html);
    say();
    if (drawn !== shown.dataset.lpDrawn && !isInTheMiddle()) drawAgain(true);
    else if (drawn !== shown.dataset.lpDrawn) tag = null; // asked again until the page may be drawn
  }

  /* Nothing is taken away from who writes a reason or has a choice open. */
  const isInTheMiddle = () =>
    Boolean(one("main details.lp-pop[open]") || [...all("main textarea")].some((field) => field.value) || !getSelection().isCollapsed);

  const drawAgain = (isByItself) => tell("lp-again", { isByItself });

  /* ---------- Putting: what is there becomes what was sent ---------- */

  function put(place, html) {
    if (!place) return;
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const log = one(".lp-log", place);
    const isAtEnd = log && log.scrollHeight - log.scrollTop - log.clientHeight < END_PX;
    children(place, fresh.content);
    const now = one(".lp-log", place);
    if (now && (isAtEnd || !log)) now.scrollTop = now.scrollHeight;
    tick();
  }

  const isOpen = (name) => name === "open"; // what somebody has unfolded stays so

  function become(old, fresh) {
    if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !isOpen(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    if (old.matches(".lp-log")) lines(old, fresh);
    else children(old, fresh);
  }

  function children(old, fresh) {
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((node, place) => (before[place] ? become(before[place], node) : old.append(node)));
    before.slice(after.length).forEach((node) => node.remove());
  }

  /* The log only grows at its end, so whoever reads further up stays where they are. */
  function lines(old, fresh) {
    const last = Number(old.lastElementChild?.dataset.lpLine ?? -1);
    for (const line of [...fresh.children]) if (Number(line.dataset.lpLine) > last) old.append(line);
  }

  /* ---------- Clocks, which go on between two answers; worded as portal/pipelines/words.py does ---------- */

  function length(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
  }

  function tick() {
    const now = Date.now() + ahead;
    for (const clock of all("[data-lp-began]")) write(clock, length(now - Date.parse(clock.dataset.lpBegan)));
    for (const clock of all("[data-lp-ends]")) {
      const left = Date.parse(clock.dataset.lpEnds) - now;
      write(clock, left > 0 ? `about ${length(left)} left` : "longer than usual");
    }
  }

  const write = (element, text) => element.textContent !== text && (element.textContent = text);

  /* ---------- What is read out: that a run has come to another step or state, not each per cent ---------- */

  let spoken = null;

  function say() {
    const words = all("[data-lp-said]").map((part) => part.dataset.lpSaid).join(" ");
    if (spoken !== null && words && words !== spoken) voice().textContent = words;
    spoken = words;
  }

  function voice() {
    let found = one("#lp-pipelines-voice");
    if (!found) {
      found = document.createElement("p");
      Object.assign(found, { id: "lp-pipelines-voice", className: "lp-hidden" });
      found.setAttribute("role", "status");
      document.body.append(found);
    }
    return found;
  }

  /* ---------- Orders: start, cancel, publish, discard ---------- */

  async function send(form, button) {
    const body = new FormData(form, button);
    const token = document.cookie.match(/(?:^|; )_csrf_token=([^;]*)/)?.[1] || "";
    form.classList.add("is-sent");
    form.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(button.hasAttribute("formaction") ? button.formAction : form.action, {
        method: "POST",
        body: new URLSearchParams(body),
        headers: { "X-CSRFToken": token, Accept: "application/json" },
      });
      if (response.status === 401) return tell("lp-signed-out");
      const { text } = await response.json().catch(() => ({}));
      if (response.ok) done(form, text);
      else toast(text || NO_ANSWER);
    } catch {
      toast(NO_ANSWER);
    } finally {
      form.classList.remove("is-sent");
      form.removeAttribute("aria-busy");
    }
  }

  function done(form, text) {
    toast(null);
    form.reset();
    const panel = form.closest("details.lp-pop");
    if (panel) panel.open = false;
    if (text) {
      voice().textContent = "";
      voice().textContent = text;
    }
    spoken = null;
    if (!drawAgain(false)) ask();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-lp-order]")) return;
    event.preventDefault();
    if (!form.matches(".is-sent")) send(form, event.submitter);
  });

  document.addEventListener("click", (event) => {
    const panel = event.target.closest?.("[data-lp-keep-it]")?.closest("details.lp-pop");
    if (!panel) return;
    panel.open = false;
    one("summary", panel).focus();
  });

  /* ---------- When to begin ---------- */

  function begin() {
    tag = null;
    failures = 0;
    if (!page()) return void (spoken = null);
    for (const log of all(".lp-log")) log.scrollTop = kept.get(log.getAttribute("aria-label")) ?? log.scrollHeight;
    tick();
    say();
    ask();
  }

  /* A log that somebody has scrolled up in keeps its place when Dash makes the page anew. */
  const kept = new Map();

  document.addEventListener("scroll", ({ target }) => {
    if (!target.matches?.(".lp-log")) return;
    const isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < END_PX;
    if (isAtEnd) kept.delete(target.getAttribute("aria-label"));
    else kept.set(target.getAttribute("aria-label"), target.scrollTop);
  }, true);

  window.addEventListener("lp-drawn", () => requestAnimationFrame(begin));
  document.addEventListener("visibilitychange", ask);
  setInterval(() => page() && document.visibilityState === "visible" && tick(), TICK_MS);
})();
