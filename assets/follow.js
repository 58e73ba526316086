/* An open page follows the data: it asks every second whether there is a newer release, and shows it; and it says when
   the portal is out of reach. One rule: it asks only while somebody can see the page, and takes nothing away from who
   is in the middle of something. */
(() => {
  "use strict";

  const base = document.documentElement.dataset.base || "";
  const EVERY_MS = 1000;
  const LONGEST_MS = 30000;
  const ANSWER_MS = 10000;
  const AGAIN_MS = 30000; // until a page that could not be drawn is tried again
  const NEWS_FOR_MS = 8000;
  const TYPING_MS = 1000; // Dash's fields tell of what was typed a little later, and must be there then
  const MINUTE_MS = 60000;
  const WEEK_MINUTES = 7 * 24 * 60;
  const WRITABLE = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

  const one = (selector) => document.querySelector(selector);
  const main = () => one("main");
  const tell = (name, detail) => window.dispatchEvent(new CustomEvent(name, { cancelable: true, detail }));

  let timer = null;
  let isAsking = false;
  let isOver = false; // the login has ended: there is nothing more to ask
  let failures = 0; // in a row
  let told = null; // the release that was spoken of last
  let tried = { release: null, at: 0 }; // for which the page was drawn again last
  let drawnAt = null; // the address that the page was drawn for
  let typedAt = -TYPING_MS;

  /* ---------- Asking ---------- */

  async function ask() {
    clearTimeout(timer);
    if (isOver || isAsking || document.visibilityState !== "visible") return;
    const shown = main()?.dataset.lpRelease; // nothing on a page that looks at the past
    if (shown !== undefined || failures) await look(shown);
    if (!isOver) timer = setTimeout(ask, Math.min(EVERY_MS * 2 ** failures, LONGEST_MS));
  }

  async function look(shown) {
    isAsking = true;
    try {
      await hear(await fetch(`${base}/_release`, {
        headers: shown === undefined ? {} : { "If-None-Match": `"${shown}"` },
        cache: "no-store",
        signal: AbortSignal.timeout(ANSWER_MS),
      }), shown);
    } catch {
      lose(); // no answer, or one of somebody in between
    } finally {
      isAsking = false;
    }
  }

  async function hear(response, shown) {
    if (response.status === 401) return leave();
    if (response.status !== 304 && !response.ok) return lose();
    const release = response.status === 304 ? null : (await response.json()).release;
    find();
    if (release !== null && shown !== undefined) show(String(release), shown);
  }

  function leave() {
    isOver = true;
    tell("lp-signed-out");
  }

  /* ---------- A newer release ---------- */

  function show(release, shown) {
    if (release === shown || (release === tried.release && Date.now() < tried.at + AGAIN_MS)) return;
    if (isInTheMiddle()) announce(release);
    else drawFor(release, true);
  }

  function drawFor(release, isByItself) {
    if (tell("lp-again", { isByItself })) tried = { release, at: Date.now() };
  }

  /* An editor has a result below it that would be gone, so nothing but a press of the button draws its page. */
  function isInTheMiddle() {
    return Boolean(
      one("[data-lp-editor], details.lp-pop[open], .lp-filters.is-open, dialog[open]") ||
      document.activeElement?.matches(WRITABLE) ||
      performance.now() < typedAt + TYPING_MS ||
      !getSelection().isCollapsed,
    );
  }

  function announce(release) {
    if (told === release) return;
    told = release;
    say(`Release ${release} is here`, true);
  }

  window.addEventListener("lp-drawn", () => {
    const release = main().dataset.lpRelease;
    if (release !== undefined && release === tried.release) say(`Release ${release} is here: the numbers were updated`, false);
    else if (release === undefined || release === told) hush(); // by a link, or to the past
    if (release === tried.release) tried = { release: null, at: 0 };
    told = null;
    drawnAt = here();
  });

  function say(text, isOffer) {
    const news = one("[data-lp-news]");
    if (!news) return;
    news.querySelector("[data-lp-words]").textContent = text;
    news.querySelector("[data-lp-again]").hidden = !isOffer;
    news.hidden = false;
    clearTimeout(news.timer);
    if (!isOffer) news.timer = setTimeout(hush, NEWS_FOR_MS);
  }

  function hush() {
    const news = one("[data-lp-news]");
    if (news) news.hidden = true;
  }

  /* ---------- Out of reach ---------- */

  function lose() {
    failures += 1;
    if (failures > 1 || !navigator.onLine) warn();
  }

  function warn() {
    const bar = one("[data-lp-away]");
    if (!bar) return;
    const shown = main()?.dataset.lpShown;
    const happened = navigator.onLine ? "The portal does not answer." : "You are offline.";
    bar.querySelector("[data-lp-words]").textContent = shown ? `${happened} What you see is ${shown}.` : happened;
    bar.hidden = false;
  }

  function find() {
    failures = 0;
    const bar = one("[data-lp-away]");
    if (!bar || bar.hidden) return;
    bar.hidden = true;
    if (!main()) location.reload();
    else if (hasMoved() || !isInTheMiddle()) tell("lp-again", { isByItself: true });
  }

  /* Whether something else was asked for than what is shown; a statement that was written is nothing else. */
  const here = () => location.pathname + (one("[data-lp-editor]") ? "" : location.search);
  const hasMoved = () => here() !== drawnAt;

  /* ---------- How old what is shown has become, worded as portal/wording.py does ---------- */

  function age(minutes) {
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    if (minutes < 1) return "just now";
    if (hours < 1) return `${minutes} min ago`;
    if (days < 1) return `${hours} h ago`;
    return days === 1 ? "yesterday" : `${days} days ago`;
  }

  function grow() {
    const time = one("[data-lp-since]");
    const minutes = time && Math.floor((Date.now() - Date.parse(time.dataset.lpSince)) / MINUTE_MS);
    if (time && minutes < WEEK_MINUTES) time.textContent = age(minutes); // an older one is a date, which stays
  }

  /* ---------- When to ask ---------- */

  window.addEventListener("lp-lost", () => {
    failures = Math.max(failures, 1);
    warn();
    clearTimeout(timer);
    timer = setTimeout(ask, EVERY_MS);
  });
  window.addEventListener("lp-found", () => failures && ask());
  for (const name of ["online", "offline"]) window.addEventListener(name, ask);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("input", () => { typedAt = performance.now(); });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-lp-again], [data-lp-hush]");
    if (!button) return;
    hush();
    if (button.hasAttribute("data-lp-again")) drawFor(told, false);
  });

  setInterval(grow, MINUTE_MS / 2);
  ask();
})();
