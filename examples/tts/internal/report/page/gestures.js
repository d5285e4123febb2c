// What a person does, and what the chart does then.

function listenToButtons(chart, section) {
  for (const button of section.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => chart.act(button.dataset.do));
  }
  for (const button of section.querySelectorAll("[data-pin]")) {
    button.addEventListener("click", () => {
      chart.showPin(chart.run.pins.find((pin) => pin.i === Number(button.dataset.pin)));
      chart.canvas.scrollIntoView({ block: "center", behavior: "smooth" });
    });
  }
}

const keys = {
  ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", 0: "fit", n: "next", N: "next", Escape: "leave",
};

function listenToKeys(chart) {
  chart.canvas.addEventListener("keydown", (event) => {
    const command = keys[event.key];
    if (!command || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    chart.act(command);
  });
}

function listenToPointer(chart) {
  const { canvas, view } = chart;
  const perPixel = () => view.length / (chart.drawn.right - chart.drawn.left);
  const pointers = new Map(); // those held down, and where they were last

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event.offsetX);
    canvas.classList.add("dragging");
  });
  const lift = (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return chart.point(event);
    tooltip.hide();
    const fixed = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, event.offsetX);
    if (fixed === undefined) view.pan((before - event.offsetX) * perPixel());
    else view.zoom(Math.max(1, Math.abs(event.offsetX - fixed)) / Math.max(1, Math.abs(before - fixed)), chart.drawn.time(fixed));
  });
  canvas.addEventListener("pointerleave", () => chart.leave());
  canvas.addEventListener("dblclick", (event) => view.zoom(event.shiftKey ? 0.25 : 4, chart.drawn.time(event.offsetX)));

  // A plain vertical scroll belongs to the page.
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      view.zoom(Math.exp(-event.deltaY / 240), chart.drawn.time(event.offsetX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !view.fits) {
      event.preventDefault();
      view.pan(event.deltaX * perPixel());
    }
  }, { passive: false });
}

