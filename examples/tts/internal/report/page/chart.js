// Chart is one run: its canvas, its strip and its buttons.
class Chart {
  constructor(section) {
    this.run = readRun(section.querySelector('script[type="application/json"]').textContent);
    this.canvas = section.querySelector(".chart");
    this.view = new View(this.run.duration, () => this.repaint(true));
    this.moved = true; // since the strip was painted
    this.overview = new Overview(section.querySelector(".overview"), this.run, this.view);
    listenToButtons(this, section);
    listenToPointer(this);
    listenToKeys(this);
    new ResizeObserver(() => this.repaint(true)).observe(section);
  }

  layout() {
    const { run, view } = this;
    const width = this.canvas.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(this.canvas.parentElement).paddingLeft);
    const share = width > 760;
    const left = 84, right = width - (share ? 122 : 0), top = 28;
    const lane = run.lanes.length <= 10 ? 36 : run.lanes.length <= 20 ? 26 : 17;
    const writers = run.lanes.findIndex((l) => l.role === "writer");
    const gap = (i) => (writers > 0 && i >= writers ? 10 : 0);
    const bottom = top + lane * run.lanes.length + gap(run.lanes.length) + 2;
    const x = (t) => left + ((t - view.from) / view.length) * (right - left);
    const middle = (i) => top + gap(i) + lane * (i + 0.5);
    const thick = Math.round(lane * 0.64);
    const box = (bar) => {
      const from = x(bar.s), to = x(bar.e);
      const space = to - from > 4 ? 0.8 : 0; // so that bars in a row can be told apart
      const least = bar.o ? 2.5 : 1.2; // a rollback among hundreds of bars must still be seen
      return { x: from, y: middle(bar.l) - thick / 2, width: Math.max(least, to - from - space), height: thick };
    };
    return { width, height: bottom + 6, left, right, top, bottom, lane, share, x, middle, box,
      time: (px) => view.from + ((px - left) / (right - left)) * view.length,
      spot: (bar) => ({ x: x(bar.e), y: middle(bar.l) }) };
  }

  // repaint soon; the strip too, unless only the focus changed.
  repaint(moved) {
    this.moved ||= moved;
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.paint();
    });
  }

  paint() {
    const colours = palette();
    const layout = (this.drawn = this.layout());
    this.canvas.style.height = `${layout.height}px`;
    const context = surface(this.canvas, layout.width, layout.height);
    paintAxis(context, layout, this.view, colours);
    paintLanes(context, layout, this.run, colours);
    context.save();
    context.beginPath();
    context.rect(layout.left - 1, 0, layout.right - layout.left + 2, layout.height);
    context.clip();
    paintBars(context, layout, this.run, this.view, colours, this.focus);
    paintPins(context, layout, this.run, this.view, colours, this.focus);
    context.restore();
    if (this.moved) this.overview.paint(layout, colours);
    this.moved = false;
  }

  // at finds what lies under the pointer: a pin first, since pins lie on top.
  at(px, py) {
    const layout = this.drawn;
    if (!layout || px < layout.left || px > layout.right) return {};
    for (const pin of this.run.pins) {
      const { x, y } = layout.spot(pin.bar);
      if (Math.hypot(px - x, py - y) <= 7) return { pin, bar: pin.bar };
    }
    const i = this.run.lanes.findIndex((_, lane) => Math.abs(py - layout.middle(lane)) <= layout.lane / 2);
    if (i < 0) return {};
    const { bars } = this.run.lanes[i];
    const slack = (2.5 / (layout.right - layout.left)) * this.view.length;
    const t = layout.time(px), next = firstAfter(bars, t);
    return { bar: [bars[next - 1], bars[next]].find((bar) => bar && bar.s - slack <= t && t <= bar.e + slack) };
  }

  point(event) {
    const { pin, bar } = this.at(event.offsetX, event.offsetY);
    if (this.focus?.bar !== bar) {
      this.focus = bar && { bar, near: neighbours(this.run, bar) };
      this.repaint();
    }
    if (pin) tooltip.show(event.clientX, event.clientY, "Stale file", `of row ${pin.row}`, describePin(pin));
    else if (bar) tooltip.show(event.clientX, event.clientY, bar.name, `by ${bar.lane.name}`, describe(bar, this.focus.near));
    else tooltip.hide();
  }

  leave() {
    tooltip.hide();
    if (this.focus) {
      this.focus = undefined;
      this.repaint();
    }
  }

  // showPin zooms to a stale file and the edit that it missed.
  showPin(pin) {
    const from = Math.min(pin.bar.s, pin.lost?.s ?? pin.bar.s), to = pin.bar.e;
    const margin = Math.max((to - from) * 1.2, 500);
    this.focus = { bar: pin.bar, near: neighbours(this.run, pin.bar) };
    this.view.show(from - margin, to + margin);
    this.repaint();
  }

  nextPin() {
    const { pins } = this.run;
    if (!pins.length) return;
    this.turn = ((this.turn ?? -1) + 1) % pins.length;
    this.showPin(pins[this.turn]);
  }

  // act carries out a command of a button or a key.
  act(command) {
    const { view } = this;
    ({
      in: () => view.zoom(2), out: () => view.zoom(0.5), fit: () => view.fit(),
      left: () => view.pan(-view.length / 5), right: () => view.pan(view.length / 5),
      next: () => this.nextPin(), leave: () => this.leave(),
    })[command]();
  }
}

