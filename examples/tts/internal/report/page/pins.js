// paintPins marks each stale file at the end of the block that made it, and draws the thread from the edit that was
// lost. The threads fade where there are many of them, the pins never.
function paintPins(context, layout, run, view, colours, focus) {
  const seen = run.pins.filter((pin) => pin.bar.e >= view.from && Math.min(pin.bar.s, pin.lost?.s ?? pin.bar.s) <= view.to);
  const concerns = (pin) => focus && (focus.bar === pin.bar || focus.bar === pin.lost);
  context.strokeStyle = colours.stale;
  for (const pin of seen) {
    if (!pin.lost) continue;
    context.globalAlpha = concerns(pin) ? 1 : focus ? 0.1 : Math.max(0.25, Math.min(0.8, 14 / seen.length));
    context.lineWidth = concerns(pin) ? 2 : 1.3;
    const from = layout.spot(pin.lost), to = layout.spot(pin.bar);
    const bend = (to.y - from.y) / 2;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.bezierCurveTo(from.x, from.y + bend, to.x, to.y - bend, to.x, to.y);
    context.stroke();
    context.beginPath();
    context.arc(from.x, from.y, 2.2, 0, 7);
    context.fillStyle = colours.stale;
    context.fill();
  }
  for (const pin of seen) {
    const { x, y } = layout.spot(pin.bar);
    context.globalAlpha = focus && !concerns(pin) ? 0.35 : 1;
    context.beginPath();
    context.arc(x, y, layout.lane > 20 ? 5 : 4, 0, 7);
    context.fillStyle = colours.stale;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = colours.card;
    context.stroke();
  }
  context.globalAlpha = 1;
}

