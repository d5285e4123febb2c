// paintAxis draws the ruler and its lines down through the lanes.
function paintAxis(context, layout, view, colours) {
  const { left, right, top, bottom } = layout;
  const { step, list } = ticks(view.from, view.to, right - left, 96);
  context.font = font(11.5);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const t of list) {
    const x = Math.round(layout.x(t)) + 0.5;
    context.strokeStyle = colours.faint;
    context.beginPath();
    context.moveTo(x, top - 5);
    context.lineTo(x, bottom);
    context.stroke();
    context.fillStyle = colours.pale;
    context.fillText(clock(t, step), Math.min(Math.max(x, left + 4), right - 14), top - 15);
  }
}

// paintLanes draws the names of the lanes, the lines between them, and how busy each was.
function paintLanes(context, layout, run, colours) {
  context.textBaseline = "middle";
  if (layout.share) {
    context.font = font(11);
    context.textAlign = "left";
    context.fillStyle = colours.pale;
    context.fillText("busy, waiting", layout.right + 14, layout.top - 15);
  }
  run.lanes.forEach((lane, i) => {
    const y = layout.middle(i);
    context.strokeStyle = colours.faint;
    context.beginPath();
    context.moveTo(layout.left, Math.round(y + layout.lane / 2) + 0.5);
    context.lineTo(layout.right, Math.round(y + layout.lane / 2) + 0.5);
    context.stroke();

    context.fillStyle = colours[lane.role];
    context.beginPath();
    context.arc(5, y, 3.5, 0, 7);
    context.fill();
    context.font = font(12.5);
    context.textAlign = "left";
    context.fillStyle = colours.soft;
    context.fillText(lane.name, 15, y + 0.5);
    if (layout.share) paintShare(context, layout, lane, run.duration, y, colours);
  });
}

function paintShare(context, layout, lane, whole, y, colours) {
  const x = layout.right + 14, width = 62;
  const part = (t) => Math.min(1, t / whole) * width;
  context.fillStyle = colours.faint;
  context.fillRect(x, y - 3, width, 6);
  context.fillStyle = colours[lane.role];
  context.fillRect(x, y - 3, part(lane.busy), 6);
  context.fillStyle = colours.wait;
  context.fillRect(x + part(lane.busy - lane.waited), y - 3, part(lane.waited), 6);
  context.fillStyle = colours.soft;
  context.font = font(11.5);
  context.fillText(`${Math.round(100 * Math.min(1, lane.busy / whole))} %`, x + width + 8, y + 0.5);
}

// paintBars draws the blocks. While one is pointed at, those that have nothing to do with it step back.
function paintBars(context, layout, run, view, colours, focus) {
  const texture = hatch(context, colours.card);
  for (const lane of run.lanes) {
    // A long bar may have begun before the first one whose start is in view.
    for (let i = firstAfter(lane.bars, view.from - lane.longest); i < lane.bars.length; i++) {
      const bar = lane.bars[i];
      if (bar.s > view.to) break;
      if (bar.e < view.from) continue;
      context.globalAlpha = !focus || focus.bar === bar || focus.near.has(bar) ? 1 : 0.2;
      paintBar(context, layout, bar, colours, texture);
    }
  }
  context.globalAlpha = 1;
}

function paintBar(context, layout, bar, colours, texture) {
  const box = layout.box(bar);
  const failed = Boolean(bar.o);
  const idle = !failed && !bar.n && !bar.w; // found nothing to do
  if (idle) {
    box.y += box.height * 0.34;
    box.height *= 0.32;
  }
  context.fillStyle = failed ? colours.rolledback : colours[bar.lane.role];
  if (box.width < 3) {
    const alpha = context.globalAlpha;
    if (bar.u && !failed) context.globalAlpha *= 0.55;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.globalAlpha = alpha;
    paintMarks(context, layout, bar, box, colours);
    return;
  }

  context.save();
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, Math.min(3, box.width / 3, box.height / 3));
  if (bar.u && !failed) paintHollow(context, box);
  else context.fill();
  context.clip();
  if (failed) {
    const alpha = context.globalAlpha;
    context.globalAlpha *= 0.45;
    context.fillStyle = texture;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.globalAlpha = alpha;
  }
  paintMarks(context, layout, bar, box, colours);
  context.restore();
  if (box.width > 34 && box.height > 13) paintLabel(context, layout, bar, box, colours);
}

// paintMarks lays over a bar what happened in it: waits where they were, and an edge for rows that were passed over.
function paintMarks(context, layout, bar, { x, y, width, height }, colours) {
  if (bar.w) context.fillStyle = colours.wait;
  for (const [start, length] of bar.w ?? []) {
    const from = Math.max(layout.x(start), x);
    context.fillRect(from, y, Math.max(1, Math.min(layout.x(start + length), x + width) - from), height);
  }
  if (bar.k) {
    const thick = Math.min(3, height * 0.3);
    context.fillStyle = colours.skipped;
    context.fillRect(x, y + height - thick, width, thick);
  }
}

// paintHollow fills the current path thinly and rims it, at any width: the mark of a block that holds no locks.
function paintHollow(context, { x, y, width, height }) {
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * 0.3;
  context.fill();
  context.globalAlpha = alpha;
  context.clip();
  context.fillRect(x, y, width, 1.5);
  context.fillRect(x, y + height - 1.5, width, 1.5);
  if (width > 5) {
    context.lineWidth = 3; // half of it is clipped
    context.strokeStyle = context.fillStyle;
    context.stroke();
  }
}

// paintLabel writes the name of a block into its bar, with the rows if there is room.
function paintLabel(context, layout, bar, { x, y, width, height }, colours) {
  const from = Math.max(x, layout.left) + 6, room = x + width - 4 - from;
  context.font = font(11, 550);
  const long = bar.n ? `${bar.name} ${bar.n === 1 ? bar.r[0] : `${bar.n} rows`}` : bar.name;
  const label = [long, bar.name].find((text) => context.measureText(text).width <= room);
  if (!label) return;
  const waitsFirst = bar.w && bar.w[0][0] - bar.s < bar.d * 0.1;
  context.fillStyle = waitsFirst ? "#2b1d00" : bar.u && !bar.o ? colours.ink : colours["on-bar"];
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label, from, y + height / 2 - (bar.k ? 1 : 0));
}

