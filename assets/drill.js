/* What a click on a chart does: it follows the link of the point that was clicked, as the row of the table below does.
   One rule: the links stand in the figure (portal/figures/time_series.py); nothing is put together here. */
(() => {
  "use strict";

  const watched = new WeakSet();

  document.addEventListener("pointerover", (event) => {
    const plot = event.target.closest?.(".lp-plot .js-plotly-plot");
    if (!plot?.on || watched.has(plot)) return;
    watched.add(plot);
    plot.on("plotly_click", ({ points }) => follow(plot, points.find((point) => point.data.meta?.links)));
  });

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
})();
