// Colours come from the style sheet, so that the chart follows the light and the dark scheme.
function palette() {
  const style = getComputedStyle(document.documentElement);
  const colours = {};
  for (const name of ["card", "line", "faint", "ink", "soft", "pale", "worker", "writer", "wait", "skipped", "rolledback", "stale", "on-bar", "veil"]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  return colours;
}

// surface fits a canvas to its size on the screen and returns a context that counts in CSS pixels.
function surface(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const font = (size, weight = 400) =>
  `${weight} ${size}px Inter, system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif`;

// hatch is the texture of what was undone.
function hatch(context, colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  for (const x of [-6, 0, 6]) {
    pen.moveTo(x - 1, 7);
    pen.lineTo(x + 7, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

