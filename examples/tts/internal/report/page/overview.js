// Overview is the strip above a chart: the whole run in small, with a window over the part that the chart shows.
class Overview {
  constructor(canvas, run, view) {
    Object.assign(this, { canvas, run, view });
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => this.end(event));
    canvas.addEventListener("dblclick", () => view.fit());
  }

  // The strip lines up with the chart below it.
  time(x) { return ((x - this.left) / (this.right - this.left)) * this.view.whole; }
  x(t) { return this.left + (t / this.view.whole) * (this.right - this.left); }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.start = this.time(event.offsetX);
  }

  drag(event) {
    if (this.start === undefined) return;
    const now = this.time(event.offsetX);
    if (Math.abs(this.x(now) - this.x(this.start)) > 4) {
      this.chose = true;
      this.view.show(Math.min(this.start, now), Math.max(this.start, now));
    }
  }

  end(event) {
    if (this.start !== undefined && !this.chose) { // a click: go there
      const at = this.time(event.offsetX), half = this.view.length / 2;
      this.view.show(at - half, at + half);
    }
    this.start = this.chose = undefined;
  }

  paint(layout, colours) {
    this.left = layout.left;
    this.right = layout.right;
    const width = layout.width, height = this.canvas.clientHeight;
    const context = surface(this.canvas, width, height);
    const lane = (height - 8) / Math.max(1, this.run.lanes.length);
    context.fillStyle = colours.faint;
    context.fillRect(this.left, 0, this.right - this.left, height);
    for (const bar of this.run.bars) {
      const x = this.x(bar.s), length = Math.max(0.6, this.x(bar.e) - x);
      const y = 4 + bar.l * lane, thick = Math.max(1, lane - 1);
      context.globalAlpha = !bar.o && !bar.n && !bar.w ? 0.3 : 1;
      context.fillStyle = bar.o ? colours.rolledback : colours[bar.lane.role];
      context.fillRect(x, y, length, thick);
      context.fillStyle = colours.wait;
      for (const [start, wait] of bar.w ?? []) context.fillRect(this.x(start), y, Math.max(0.6, this.x(start + wait) - this.x(start)), thick);
    }
    context.globalAlpha = 1;
    context.fillStyle = colours.stale;
    for (const pin of this.run.pins) context.fillRect(this.x(pin.bar.e) - 1, 0, 2, height);
    if (!this.view.fits) this.paintWindow(context, height, colours);
  }

  paintWindow(context, height, colours) {
    const from = this.x(this.view.from), to = Math.max(this.x(this.view.to), from + 2);
    context.fillStyle = colours.veil;
    context.fillRect(this.left, 0, from - this.left, height);
    context.fillRect(to, 0, this.right - to, height);
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.strokeRect(from, 0.75, to - from, height - 1.5);
  }
}

