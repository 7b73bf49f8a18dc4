// Draw every <figure class="chart"> from the JSON that json_script left beside it.
// A page adds a chart by including charts/figure.html; it never writes JavaScript.

const config = { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
const drawn = new WeakMap();

// Figures name colors as var(--token); the page's own CSS knows their value in the current theme.
function colored(value, style) {
  if (typeof value === "string") {
    const token = /^var\((--[\w-]+)\)$/.exec(value);
    return token ? style.getPropertyValue(token[1]).trim() : value;
  }
  if (Array.isArray(value)) return value.map((item) => colored(item, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, colored(item, style)]));
  }
  return value;
}

function draw(force) {
  const style = getComputedStyle(document.documentElement);
  for (const figure of document.querySelectorAll("figure.chart")) {
    const text = document.getElementById(figure.dataset.figure).textContent;
    if (!force && drawn.get(figure) === text) continue;
    drawn.set(figure, text);
    const { data, layout } = colored(JSON.parse(text), style);
    Plotly.react(figure, data, layout, config);
  }
}

draw(true);
document.addEventListener("theme", () => draw(true));
document.addEventListener("patched", () => draw(false));
