// Space and time: the diagram in which every node is a line and every message an arrow; the strip of the scrub bar.

// Lanes of the diagram: how high each is, where each node's runs, and the way between time and x.
function lanes(trace, width, view) {
  const left = width < 560 ? 78 : 104, high = Math.max(20, Math.min(44, 420 / Math.max(1, trace.lanes.length)));
  const y = new Map(trace.lanes.map((n, k) => [n, 36 + high * (k + 0.5)]));
  const x = t => left + (t - view.from) / view.width * (width - left - 18);
  return {left, right: width - 18, high, y, x, timeAt: px => view.from + (px - left) / (width - left - 18) * view.width,
    height: 36 + high * trace.lanes.length + 26};
}

// Everything but the cursor; drawn once for a view.
function drawSpaceTime(c, scene) {
  const {trace, look: {colour, font}, grid, view, passes} = scene, until = view.from + view.width;
  const bottom = grid.height - 26, free = shelf();
  const seen = trace.messages.filter(m => m.left <= until && m.due >= view.from), narrow = seen.length > 400;
  drawTimes(c, scene, bottom);
  c.save(); c.beginPath(); c.rect(grid.left, 20, grid.right - grid.left + 9, bottom - 18); c.clip();
  for (const gap of trace.gaps) drawGap(c, scene, gap, bottom, free);
  for (const span of trace.down) drawDown(c, scene, span);
  for (const y of grid.y.values()) path(c, [[grid.left, y], [grid.right, y]], {stroke: colour.rule, line: 1.4});
  for (const strong of [false, true]) drawArrows(c, scene, seen.filter(m => passes(m.send) === strong), strong, narrow);
  drawLocals(c, scene, narrow);
  drawMarks(c, scene, free);
  for (const span of trace.down) nameDown(c, scene, span, free);
  if (seen.length <= 150) labelArrows(c, scene, seen.filter(m => passes(m.send)), free);
  c.restore();
  const name = {size: 13, bold: true, colour: colour.ink, align: "right", most: grid.left - 14, font};
  for (const [n, y] of grid.y) write(c, trace.nodes[n].name, grid.left - 10, y, name);
}

function drawTimes(c, {trace, look: {colour, font}, grid, view}, bottom) {
  const last = trace.origin + view.from + view.width, wide = grid.right - grid.left;
  let step = niceStep(view.width / Math.max(2, wide / 100));
  c.font = `11.5px ${font}`;
  while (c.measureText(clock(last, step)).width + 18 > step / view.width * wide) step = niceStep(step * 1.5);
  for (let k = Math.ceil((trace.origin + view.from) / step - 1e-6); k * step <= last + step * 1e-6; k++) {
    const x = grid.x(k * step - trace.origin), text = clock(k * step, step), half = c.measureText(text).width / 2;
    path(c, [[x, 24], [x, bottom]], {stroke: colour.rule, line: 0.8});
    write(c, text, Math.min(x, grid.right + 14 - half), bottom + 13,
      {size: 11.5, colour: colour.muted, align: "center", font});
  }
}

function drawGap(c, {look: {colour, font}, grid, view}, [from, to], bottom, free) {
  if (to < view.from || from > view.from + view.width) return;
  const x = Math.max(grid.left, grid.x(from)), w = Math.max(2, Math.min(grid.right, grid.x(to)) - x);
  c.save(); c.beginPath(); c.rect(x, 24, w, bottom - 24); c.clip();
  c.strokeStyle = colour.rule; c.lineWidth = 1; c.beginPath();
  for (let s = x - bottom; s < x + w; s += 9) { c.moveTo(s, bottom); c.lineTo(s + bottom, 0); }
  c.stroke(); c.restore();
  if (w > 90 && free(x + w / 2 - 36, bottom - 16, 72, 14))
    write(c, "not shown", x + w / 2, bottom - 9, {size: 11.5, colour: colour.muted, align: "center", font});
}

function drawDown(c, {look: {colour}, grid, view}, span) {
  const y = grid.y.get(span.node);
  if (y === undefined || span.to < view.from || span.from > view.from + view.width) return;
  const x = Math.max(grid.left, grid.x(span.from)), w = Math.max(1, Math.min(grid.right, grid.x(span.to)) - x);
  box(c, x, y - grid.high * 0.3, w, grid.high * 0.6,
    {fill: span.kind === "pause" ? colour.waits : colour.fails, radius: 3});
}

function nameDown(c, {look: {colour, font}, grid, view}, span, free) {
  const y = grid.y.get(span.node), x = Math.max(grid.left, grid.x(span.from));
  const w = Math.min(grid.right, grid.x(span.to)) - x;
  if (y === undefined || w < 70 || !free(x + w - 50, y - 8, 48, 16)) return;
  write(c, span.kind === "pause" ? "paused" : "down", x + w - 6, y,
    {size: 12, bold: true, colour: colour.lost, align: "right", halo: colour.panel, font});
}

function drawArrows(c, {look: {colour}, grid}, messages, strong, narrow) {
  const groups = new Map();
  for (const m of messages) {
    const style = `${m.hue} ${m.reply}`;
    if (!groups.has(style)) groups.set(style, []);
    groups.get(style).push(m);
  }
  c.globalAlpha = strong ? 1 : 0.13;
  for (const group of groups.values()) {
    c.strokeStyle = c.fillStyle = colour[group[0].hue]; c.lineWidth = narrow ? 0.8 : 1.5;
    c.setLineDash(group[0].reply && !narrow ? [4, 3] : []); c.beginPath();
    for (const m of group) { c.moveTo(grid.x(m.left), grid.y.get(m.from)); c.lineTo(grid.x(m.due), grid.y.get(m.to)); }
    c.stroke(); c.setLineDash([]); c.beginPath();
    for (const m of group) if (!narrow) {
      arrowHead(c, grid.x(m.left), grid.y.get(m.from), grid.x(m.due), grid.y.get(m.to), m.lost || m.arrival < 0);
    }
    c.fill();
  }
  for (const m of messages)
    if (m.lost) glyph(c, "cross", grid.x(m.due), grid.y.get(m.to), narrow ? 3 : 4.2, colour.lost);
  c.globalAlpha = 1;
}

function arrowHead(c, x0, y0, x1, y1, none) {
  c.moveTo(x0 + 2.4, y0); c.arc(x0, y0, 2.4, 0, TAU);
  if (none) return;
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const at = turn => [x1 - 8 * Math.cos(angle + turn), y1 - 8 * Math.sin(angle + turn)];
  c.moveTo(x1, y1); c.lineTo(...at(0.38)); c.lineTo(...at(-0.38)); c.closePath();
}

function drawLocals(c, {trace, look: {colour}, grid, view, passes}, narrow) {
  if (narrow) return;
  const first = lastAt(trace.time, view.from - 1e-12), last = lastAt(trace.time, view.from + view.width);
  for (let i = first + 1; i <= last; i++)
    if (trace.shape(i) === "local" && !trace.background[i] && passes(i))
      disc(c, grid.x(trace.time[i]), grid.y.get(trace.node[i]), 1.7, {fill: colour.muted});
}

function drawMarks(c, {trace, look: {colour, font}, grid, view}, free) {
  const said = new Map();  // where a word stands already: several alike beside each other need it once
  for (const i of trace.states) {
    if (trace.time[i] < view.from || trace.time[i] > view.from + view.width) continue;
    const kind = trace.kinds[trace.kind[i]], tone = colour[kind.hue] ?? colour.muted;
    const x = grid.x(trace.time[i]), y = grid.y.get(trace.node[i]);
    glyph(c, kind.mark, x, y, 5.5, tone);
    const word = kind.name.replace("_", " "), here = `${word} ${trace.node[i]}`;
    if (x - (said.get(here) ?? -Infinity) < 24) continue;
    c.font = `600 12px ${font}`;
    const w = c.measureText(word).width;
    const spots = [-14, 14].flatMap(dy => [[x + 5, y + dy], [x - w - 6, y + dy]]);
    const spot = spots.find(([lx, ly]) => lx + w < grid.right + 8 && free(lx - 2, ly - 7, w + 4, 14));
    if (spot) {
      said.set(here, x);
      write(c, word, ...spot, {size: 12, bold: true, colour: tone, halo: colour.panel, font});
    }
  }
}

function labelArrows(c, {trace, look: {colour, font}, grid}, messages, free) {
  c.font = `11.5px ${font}`;
  for (const m of messages) {
    const text = recordsOf(trace, m.send);
    if (!text) continue;
    const x = (grid.x(m.left) + grid.x(m.due)) / 2 + 7, step = Math.sign(grid.y.get(m.to) - grid.y.get(m.from));
    const y = grid.y.get(m.from) + step * grid.high * 0.5;
    const w = c.measureText(text).width;
    if (x > grid.left && x + w < grid.right && free(x - 2, y - 7, w + 4, 14))
      write(c, text, x, y, {size: 11.5, colour: colour.muted, halo: colour.panel, font});
  }
}

// What moves: messages on their way drawn bold, the event at hand ringed, the cursor and its time.
function drawCursor(c, {trace, look: {colour, font}, grid, view, t, i, flights, passes}) {
  c.save(); c.beginPath(); c.rect(grid.left - 8, 0, grid.right - grid.left + 18, grid.height); c.clip();
  for (const m of flights)
    if (m.due >= t && passes(m.send))
      path(c, [[grid.x(m.left), grid.y.get(m.from)], [grid.x(m.due), grid.y.get(m.to)]],
        {stroke: colour[m.hue], line: 3.2, dash: m.reply ? [6, 4] : []});
  const x = grid.x(t);
  path(c, [[x, 20], [x, grid.height - 26]], {stroke: colour.cursor, line: 2});
  if (i >= 0 && trace.time[i] === t) disc(c, x, grid.y.get(trace.node[i]), 8, {stroke: colour.cursor, line: 2.2});
  c.restore();
  const text = clock(trace.origin + t, Math.min(0.001, niceStep(view.width / 500)));
  c.font = `600 12px ${font}`;
  const w = c.measureText(text).width + 18, at = Math.max(grid.left - 10, Math.min(grid.right + 16 - w, x - w / 2));
  box(c, at, 3, w, 19, {fill: colour.cursor, radius: 10});
  write(c, text, at + w / 2, 12.5, {size: 12, bold: true, colour: colour.sheet, align: "center", font});
}


// The strip above the scrub bar: how much happens when, changes of state, what is left out, what the diagram shows.
function drawStrip(c, {trace, look: {colour}, view, width}) {
  const inset = 9, wide = width - 2 * inset, bins = Math.max(20, Math.floor(wide / 5)), counts = new Float64Array(bins);
  const x = t => inset + t / (trace.end || 1) * wide, bin = wide / bins;
  for (const i of trace.shown) counts[Math.min(bins - 1, Math.floor(trace.time[i] / (trace.end || 1) * bins))]++;
  const most = Math.max(...counts, 1);
  c.fillStyle = colour.viewed;
  const from = x(Math.max(0, view.from)), to = x(Math.min(trace.end, view.from + view.width));
  c.fillRect(from, 0, Math.max(2, to - from), 42);
  c.fillStyle = colour.consumer;
  counts.forEach((n, k) => {
    const high = n ? 2 + 15 * Math.sqrt(n / most) : 0;
    c.fillRect(inset + k * bin, 20 - high, bin - 1.5, high);
  });
  c.fillStyle = colour.rule;
  for (const [from, to] of trace.gaps) c.fillRect(x(from), 17, x(to) - x(from), 3);
  for (const i of trace.states) {
    const kind = trace.kinds[trace.kind[i]], tone = colour[kind.hue] ?? colour.muted;
    c.fillStyle = tone; c.fillRect(x(trace.time[i]) - 0.9, 12, 1.8, 26);
    glyph(c, kind.mark, x(trace.time[i]), 7, 3.6, tone);
  }
}
