// View is the stretch of time that a chart shows.
class View {
  constructor(whole, changed) {
    this.whole = whole;
    this.changed = changed;
    this.from = 0;
    this.to = whole;
  }

  show(from, to) {
    const length = Math.min(Math.max(to - from, 200), this.whole);
    from = Math.min(Math.max(from, 0), this.whole - length);
    if (from === this.from && from + length === this.to) return;
    this.from = from;
    this.to = from + length;
    this.changed();
  }

  get length() { return this.to - this.from; }
  get fits() { return this.length >= this.whole; }

  fit() { this.show(0, this.whole); }
  pan(by) { this.show(this.from + by, this.to + by); }

  // zoom keeps the moment `at` where it is on the screen.
  zoom(factor, at = (this.from + this.to) / 2) {
    const length = Math.min(Math.max(this.length / factor, 200), this.whole);
    const from = at - (at - this.from) * (length / this.length);
    this.show(from, from + length);
  }
}

