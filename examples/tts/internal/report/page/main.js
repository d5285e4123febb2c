const charts = [...document.querySelectorAll("section.run:has(canvas)")].map((section) => new Chart(section));

// Runs of about the same length start on the same scale, so that their lengths can be compared by eye.
const longest = Math.max(...charts.map((chart) => chart.run.duration));
const alike = charts.filter((chart) => chart.run.duration > longest / 2);
for (const chart of alike.length > 1 ? alike : []) {
  chart.view.whole = longest;
  chart.view.fit();
  chart.canvas.nextElementSibling.append(" The charts share one time scale.");
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.repaint(true)));
addEventListener("scroll", () => tooltip.hide(), { passive: true });
