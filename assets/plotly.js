/* Where Dash finds plotly when the first chart comes: beside these files, and not in the bundle of its own package,
   which is three times as large. A page without a chart loads neither. */
Object.defineProperty(window, "_dashPlotlyJSURL", {
  get: () => document.documentElement.dataset.plotly,
  set: () => {}, // the renderer would write the address of the bundle here
});
