// The tooltip is filled by textContent alone: what it shows may be anybody's text.
const tooltip = {
  element: document.getElementById("tooltip"),

  hide() { this.element.hidden = true; },

  show(x, y, title, aside, fields) {
    const make = (tag, text, kind) => Object.assign(document.createElement(tag), { textContent: text, className: kind ?? "" });
    const head = make("h3", title + " ");
    head.append(make("span", aside));
    const list = document.createElement("dl");
    for (const [name, value, kind] of fields) list.append(make("dt", name), make("dd", value, kind));
    this.element.replaceChildren(head, list);
    this.element.hidden = false;
    const { width, height } = this.element.getBoundingClientRect();
    const left = x + 18 + width > innerWidth - 8 ? x - 18 - width : x + 18;
    const top = Math.min(y + 16, innerHeight - height - 8);
    this.element.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
  },
};

function describe(bar, near) {
  const fields = [["outcome", bar.o ?? "committed", bar.o ? "rolledback" : ""]];
  if (bar.t) fields.push(["because", bar.t]);
  if (bar.a) fields.push(["attempt", String(bar.a)]);
  fields.push(["from", duration(bar.s)], ["duration", duration(bar.d)]);
  const waited = (bar.w ?? []).reduce((sum, [, length]) => sum + length, 0);
  if (waited) fields.push(["waited", `${duration(waited)} for a lock`, "wait"]);
  if (bar.n) {
    const more = bar.n > bar.r.length ? ` and ${bar.n - bar.r.length} more` : "";
    fields.push([bar.n === 1 ? "row" : `${bar.n} rows`, bar.r.join(", ") + more]);
  } else fields.push(["rows", "none"]);
  if (bar.k) fields.push(["passed over", bar.k === 1 ? "1 locked row" : `${bar.k} locked rows`, "skipped"]);
  if (bar.u) fields.push(["locks", "none: what it read could change"]);
  if (near.size) {
    const names = [...near].slice(0, 3).map((other) => `${other.name} by ${other.lane.name}`);
    fields.push(["same rows", names.join(", ") + (near.size > 3 ? ` and ${near.size - 3} more` : "")]);
  }
  return fields;
}

function describePin(pin) {
  const fields = [["the file says", pin.spoken, "bad"], ["the row says", pin.text]];
  fields.push(["rendered by", `${pin.bar.lane.name}, until ${duration(pin.bar.e)}`]);
  if (pin.lost) fields.push(["edited by", `${pin.lost.lane.name}, at ${duration(pin.lost.e)}`]);
  return fields;
}

