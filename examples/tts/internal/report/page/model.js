// readRun turns the data of a section into what the chart asks for: the bars of each lane, the bars that touched a row,
// and how busy each lane was.
function readRun(text) {
  const run = JSON.parse(text);
  run.bars.forEach((bar, i) => {
    bar.i = i;
    bar.e = bar.s + bar.d;
    bar.name = run.names[bar.b];
    bar.lane = run.lanes[bar.l];
  });
  run.duration = Math.max(run.duration, 1000);

  run.rows = new Map();
  for (const lane of run.lanes) Object.assign(lane, { bars: [], busy: 0, waited: 0, longest: 0 });
  for (const bar of run.bars) {
    const lane = bar.lane;
    lane.bars.push(bar);
    lane.busy += bar.d;
    lane.longest = Math.max(lane.longest, bar.d);
    for (const [, length] of bar.w ?? []) lane.waited += length;
    for (const row of bar.r ?? []) {
      if (!run.rows.has(row)) run.rows.set(row, []);
      run.rows.get(row).push(bar);
    }
  }
  run.pins.forEach((pin, i) => Object.assign(pin, { i, bar: run.bars[pin.render], lost: run.bars[pin.edit] }));
  run.pins = run.pins.filter((pin) => pin.bar).sort((a, b) => a.bar.e - b.bar.e);
  return run;
}

// firstAfter is the index of the first bar of a lane that starts after t. The bars of a lane follow one another.
function firstAfter(bars, t) {
  let low = 0, high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].s <= t) low = middle + 1; else high = middle;
  }
  return low;
}

// neighbours are the bars that share a row with a bar and are near enough in time to have met it.
function neighbours(run, bar) {
  const near = new Set();
  for (const row of bar.r ?? []) {
    for (const other of run.rows.get(row)) {
      if (other !== bar && other.s <= bar.e + bar.d && other.e >= bar.s - bar.d) near.add(other);
    }
  }
  for (const pin of run.pins) {
    if (pin.bar === bar && pin.lost) near.add(pin.lost);
    if (pin.lost === bar) near.add(pin.bar);
  }
  return near;
}

