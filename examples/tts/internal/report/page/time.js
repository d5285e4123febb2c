"use strict";
// Times are microseconds throughout.

function duration(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e4) return `${(us / 1e3).toFixed(2)} ms`;
  if (us < 1e6) return `${(us / 1e3).toFixed(1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}

// ticks returns round times in a stretch, at most about one for each `room` pixels.
function ticks(from, to, width, room) {
  const rough = (to - from) / Math.max(1, width / room);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const list = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) list.push(Math.round(t));
  return { step, list };
}

// clock names a moment, with as many digits as the distance between two ticks needs.
function clock(us, step) {
  if (us === 0) return "0";
  if (step >= 1e5) return `${(us / 1e6).toFixed(step >= 1e6 ? 0 : 1)} s`;
  if (step >= 1e3 && us >= 1e6) return `${(us / 1e6).toFixed(step >= 1e4 ? 2 : 3)} s`;
  return `${(us / 1e3).toFixed(step >= 1e3 ? 0 : step >= 100 ? 1 : 2)} ms`;
}

