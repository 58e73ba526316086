/* Charts in the browser, beside what plotly does by itself: where it is found, the box at the point under the pointer,
   a click on a point, and paper. One rule: texts and links stand in the figure (portal/figures/time_series.py); nothing
   is put together here. */
(() => {
  "use strict";

  const root = document.documentElement;

  /* Dash asks for plotly when the first chart comes, and waits where it gets a promise. It is beside these files, and not
     the bundle of Dash's own package, which is three times as large; a page without a chart does not load it, and one with
     a chart shows everything else before. */
  let asked = null;
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: () => (asked ??= painted().then(load)),
    set: (library) => Object.defineProperty(window, "Plotly", { configurable: true, writable: true, value: library }),
  });

  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

  const load = () =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = root.dataset.plotly;
      script.onload = done;
      script.onerror = () => {
        asked = null;
        failed(new Error("The library of charts could not be loaded."));
      };
      document.head.append(script);
    });

  /* ---------- The box at a chart's point ---------- */

  const watched = new WeakSet();
  root.classList.add("lp-tips");

  document.addEventListener("pointerover", (event) => {
    const plot = event.target.closest?.(".lp-plot .js-plotly-plot");
    if (!plot?.on || watched.has(plot)) return;
    watched.add(plot);
    plot.on("plotly_hover", ({ points }) => showTip(plot, points.find((point) => point.customdata)));
    plot.on("plotly_unhover", () => hideTip(plot));
    plot.on("plotly_click", ({ points }) => follow(plot, points.find((point) => point.data.meta?.links)));
  });

  function part(plot, name) {
    let found = plot.querySelector(`:scope > .${name}`);
    if (!found) {
      found = document.createElement("div");
      found.className = name;
      found.setAttribute("aria-hidden", "true"); // the table under the chart says the same
      plot.append(found);
    }
    return found;
  }

  function showTip(plot, point) {
    if (!point) return hideTip(plot);
    const [head, meaning, hasValue, ...texts] = point.customdata; // as portal/figures/time_series.py writes it
    const { names, change } = point.data.meta;
    const tip = part(plot, "lp-tip");
    tip.replaceChildren(element("b", head));
    texts.forEach((text, index) => {
      if (text) tip.append(element("dt", names[index]), element("dd", text, index === change ? `lp-${meaning}` : ""));
    });
    const x = (point.bbox.x0 + point.bbox.x1) / 2;
    tip.hidden = false;
    const isLeft = x > plot.clientWidth / 2;
    const place = isLeft ? x - 12 - tip.offsetWidth : x + 12;
    tip.style.left = `${Math.max(0, Math.min(place, plot.clientWidth - tip.offsetWidth))}px`;
    const dot = part(plot, "lp-point");
    dot.hidden = !hasValue;
    dot.style.left = `${x}px`;
    dot.style.top = `${(point.bbox.y0 + point.bbox.y1) / 2}px`;
  }

  function hideTip(plot) {
    for (const name of ["lp-tip", "lp-point"]) {
      const found = plot.querySelector(`:scope > .${name}`);
      if (found) found.hidden = true;
    }
  }

  function element(name, text, className = "") {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = className;
    return made;
  }

  /* ---------- A click on a point: it follows the point's link, as the row of the table below does ---------- */

  /* As if a link had been clicked: lakeport.js follows it in place. */
  function follow(plot, point) {
    const href = point?.data.meta.links[point.pointIndex];
    if (!href) return;
    const link = document.createElement("a");
    link.href = href;
    link.hidden = true;
    link.dataset.lpLink = "";
    plot.append(link);
    link.click();
  }

  /* ---------- Paper: a drawing with a frame of its own fits any width, and plotly need not draw it anew ---------- */

  const drawings = () => document.querySelectorAll(".lp-plot .main-svg");

  window.addEventListener("beforeprint", () => drawings().forEach((svg) => {
    svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  }));
  window.addEventListener("afterprint", () => drawings().forEach((svg) => svg.removeAttribute("viewBox")));
})();
