// Drawing: the topology with messages on their way, the space-time diagram, the strip above the scrub bar. State in, pixels out.

const TAU = 2 * Math.PI;

// A canvas of this size in CSS pixels, sharp on any screen; its context, cleared.
function sized(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1, w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; canvas.style.height = `${height}px`; }
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  return c;
}

function box(c, x, y, w, h, {fill, stroke, dash = [], line = 1, radius = 8}) {
  c.beginPath(); c.roundRect(x, y, w, h, radius);
  if (fill) { c.fillStyle = fill; c.fill(); }
  if (stroke) { c.strokeStyle = stroke; c.lineWidth = line; c.setLineDash(dash); c.stroke(); c.setLineDash([]); }
}

function write(c, text, x, y, {size = 12, bold = false, colour, align = "left", most = Infinity, font}) {
  c.font = `${bold ? "600 " : ""}${size}px ${font}`;
  while (c.measureText(text).width > most && size > 10) { size -= 0.5; c.font = `${bold ? "600 " : ""}${size}px ${font}`; }
  if (c.measureText(text).width > most) { while (text.length > 1 && c.measureText(text + "…").width > most) text = text.slice(0, -1); text += "…"; }
  c.textAlign = align; c.textBaseline = "middle"; c.fillStyle = colour;
  c.fillText(text, x, y);
  return c.measureText(text).width;
}

// A mark of a change of state: its shape says what it is, its hue only helps.
function glyph(c, shape, x, y, r, colour) {
  c.fillStyle = c.strokeStyle = colour; c.lineWidth = r * 0.55; c.lineCap = "round"; c.beginPath();
  if (shape === "cross") { c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x + r, y - r); c.lineTo(x - r, y + r); c.stroke(); }
  else if (shape === "bars") { c.rect(x - r, y - r, r * 0.7, 2 * r); c.rect(x + r * 0.3, y - r, r * 0.7, 2 * r); c.fill(); }
  else if (shape === "square") { c.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7); c.fill(); }
  else {
    const points = {triangle: 3, diamond: 4, star: 10}[shape] ?? 4;
    for (let p = 0; p < points; p++) {
      const far = r * (shape === "star" && p % 2 ? 0.5 : 1.25), angle = p / points * TAU - TAU / 4;
      c.lineTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
    }
    c.fill();
  }
  c.lineCap = "butt";
}

// Places for boxes: text that would cover another text is left out.
function shelf() {
  const taken = [];
  return (x, y, w, h) => {
    if (taken.some(t => x < t.x + t.w && t.x < x + w && y < t.y + t.h && t.y < y + h)) return false;
    taken.push({x, y, w, h});
    return true;
  };
}

// A step of 1, 2 or 5 times a power of ten, at least `least`.
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find(step => step * power >= least * 0.999);
}

function clock(seconds, step = 0.001) {
  return `${seconds.toFixed(Math.max(0, Math.min(9, Math.ceil(-Math.log10(step) - 1e-9))))} s`;
}


// Topology

// Where every node stands: clients left and right, servers between them in columns by zone, controllers below.
function layout(trace, play, width) {
  const of = hues => trace.nodes.map((_, n) => n).filter(n => hues.includes(trace.nodes[n].hue));
  const left = of(["producer"]), right = of(["consumer"]), servers = of(["broker"]), others = of(["controller"]);
  const side = Math.max(76, Math.min(104, width * 0.115)), from = left.length ? side + 30 : 10, to = width - (right.length ? side + 30 : 10);
  const zones = [...new Set(servers.map(n => trace.nodes[n].zone))].map(zone => ({zone, nodes: servers.filter(n => trace.nodes[n].zone === zone)}));
  const across = zones.map(z => zones.length > 1 ? 1 : Math.min(4, z.nodes.length)), columns = across.reduce((a, b) => a + b, 0) || 1;
  const stack = Math.max(1, ...zones.map((z, k) => Math.ceil(z.nodes.length / across[k])));
  const logs = servers.some(n => play.hasLog(n)), rows = !logs ? 0 : stack === 1 ? 6 : stack === 2 ? 4 : 2;
  const tall = 52 + rows * 17 + (logs ? 12 : 20), gap = 12, column = (to - from - gap * (zones.length - 1)) / columns;
  const top = 40, places = new Map(), frames = [];
  let x = from, bottom = top;
  zones.forEach(({zone, nodes}, k) => {
    const w = column * across[k], h = 26 + stack * (tall + 28) + 14;
    frames.push({zone, x, y: top, w, h});
    nodes.forEach((n, place) => {
      const w1 = w / across[k];
      places.set(n, {x: x + (place % across[k]) * w1 + 9, y: top + 26 + Math.floor(place / across[k]) * (tall + 28), w: w1 - 18, h: tall, kind: "server"});
    });
    x += w + gap;
    bottom = Math.max(bottom, top + h);
  });
  if (!zones.length) bottom = 150;
  others.forEach((n, k) => {
    const w = Math.min(150, (to - from) / others.length - 10), at = (from + to) / 2 + (k - (others.length - 1) / 2) * (w + 10) - w / 2;
    places.set(n, {x: at, y: bottom + 16, w, h: 34, kind: "pill"});
  });
  const height = Math.max(bottom + (others.length ? 62 : 10), Math.max(left.length, right.length) * 40 + 60);
  for (const [nodes, at] of [[left, 10], [right, width - side - 10]]) {
    const room = (bottom - top) / Math.max(1, nodes.length), h = Math.max(30, Math.min(86, room - 8));
    nodes.forEach((n, k) => places.set(n, {x: at, y: top + Math.max(0, bottom - top - nodes.length * (h + 8)) / 2 + k * (h + 8), w: side, h, kind: "client"}));
  }
  return {places, frames, height, rows};
}

function drawTopology(c, scene) {
  const {trace, look, plan, state, i, t, width} = scene;
  const {colour, font} = look, cluster = state.cluster(i), hits = [];
  for (const f of plan.frames) {
    box(c, f.x, f.y, f.w, f.h, {fill: colour.zone, stroke: colour.rule, dash: [4, 3]});
    write(c, `zone ${f.zone}`, f.x + f.w / 2, f.y + f.h - 11, {size: 12, colour: colour.muted, align: "center", font});
  }
  const replicas = [...plan.places.keys()].filter(n => state.hasLog(n)), rows = logRows(state, replicas, i, plan.rows);
  for (const [n, at] of plan.places) {
    const draw = at.kind === "server" ? drawServer : at.kind === "client" ? drawClient : drawPill;
    draw(c, scene, n, at, state.node(n, i), cluster, rows, replicas);
    hits.push({...at, node: n});
  }
  drawFlights(c, scene, hits);
  return hits;
}

function border(colour, status, hue, thick) {
  return status === "up" ? {stroke: hue, line: thick} : {stroke: status === "paused" ? colour.watermark : colour.lost, line: 2.2, dash: [5, 4]};
}

// A server: who it is, what it is to this partition, its log with the high watermark, and the last change of its state.
function drawServer(c, scene, n, at, own, cluster, rows, replicas) {
  const {trace, look: {colour, font}, state, dim} = scene, middle = at.x + at.w / 2, leads = cluster.leader === n;
  const up = own.status === "up", hue = !up ? colour.lost : leads ? colour.leader : colour.ink, synced = inSync(cluster, n);
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h, {fill: colour.sheet, ...border(colour, own.status, leads ? colour.leader : colour.muted, leads ? 2.4 : 1.4)});
  write(c, trace.nodes[n].name, middle, at.y + 16, {size: 14, bold: true, colour: hue, align: "center", most: at.w - 10, font});
  const part = !state.hasLog(n) ? trace.nodes[n].role : leads ? `leader · epoch ${cluster.epoch}` : synced === false ? "follower · out of sync"
    : synced ? "follower · in sync" : "follower";
  write(c, part, middle, at.y + 35, {size: 12, colour: leads ? hue : colour.muted, align: "center", most: at.w - 8, font});
  if (own.end !== null) drawLog(c, scene, n, {x: at.x + 9, y: at.y + 48, w: at.w - 34}, own, rows, replicas);
  else if (!scene.plan.rows) write(c, lastWords(scene, n), middle, at.y + 55, {size: 11.5, colour: colour.muted, align: "center", most: at.w - 10, font});
  if (own.last >= 0) {
    const kind = trace.kinds[trace.kind[own.last]], tone = colour[kind.hue] ?? colour.muted;
    const word = `${kind.name.replace("_", " ")} ${clock(trace.origin + trace.time[own.last])}`;
    c.font = `600 12px ${font}`;
    const w = Math.min(c.measureText(word).width, at.w - 12);
    glyph(c, kind.mark, middle - w / 2 - 5, at.y + at.h + 13, 4, tone);
    write(c, word, middle - w / 2 + 4, at.y + at.h + 13, {size: 12, bold: true, colour: tone, most: at.w - 12, font});
  }
  c.globalAlpha = 1;
}

// The end of a log: full boxes are records it holds, empty ones are held elsewhere; the line is what consumers may read up to.
function drawLog(c, scene, n, at, own, rows, replicas) {
  const {look: {colour, font}, state, i, record} = scene, height = 17, down = own.status !== "up";
  const epochs = new Set(replicas.flatMap(r => state.node(r, i).log).filter(b => rows.length && b.to > rows[0][0]).map(b => b.epoch));
  const holds = (log, [from]) => log.find(b => b.from <= from && from < b.to);
  rows.forEach(([from, to], r) => {
    const y = at.y + r * height, has = own.end > from, batch = has ? holds(own.log, [from]) : null;
    const others = replicas.filter(o => o !== n && state.node(o, i).end > from && (!batch || (holds(state.node(o, i).log, [from]) ?? batch).epoch === batch.epoch));
    const only = has && !others.length && replicas.length > 1;
    box(c, at.x, y, at.w, height - 3, {fill: !has ? colour.hole : only ? colour.only : down ? colour.dimmed : colour.held, radius: 3,
      stroke: record !== null && from <= record && record < to ? colour.watermark : has && only ? colour.lost : null, line: 1.6, dash: only ? [3, 2] : []});
    const ink = !has ? colour.muted : only ? colour.ink : down ? colour.ink : colour.onHeld;
    const wide = write(c, range(from, to), at.x + 5, y + 7.5, {size: 11, colour: ink, most: at.w - 8, font});
    const note = only ? "only copy" : epochs.size > 1 && batch && batch.epoch >= 0 ? `epoch ${batch.epoch}` : "";
    if (note && at.w - wide > note.length * 5.6 + 14) write(c, note, at.x + at.w - 4, y + 7.5, {size: 10.5, colour: ink, align: "right", font});
  });
  if (own.high === null || !rows.length) return;
  const place = rows.findIndex(([from]) => from >= own.high), above = own.high < rows[0][0], y = at.y + (place < 0 ? rows.length : above ? 0 : place) * height - 1.5;
  c.strokeStyle = colour.watermark; c.lineWidth = 2.4; c.setLineDash(above ? [2, 3] : []);
  c.beginPath(); c.moveTo(at.x - 5, y); c.lineTo(at.x + at.w + 3, y); c.stroke(); c.setLineDash([]);
  write(c, "HW", at.x + at.w + 5, y, {size: 10.5, bold: true, colour: colour.watermarkText, font});
}

function drawClient(c, scene, n, at, own) {
  const {trace, look: {colour, font}, state, i, dim} = scene, node = trace.nodes[n], middle = at.x + at.w / 2;
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h, {fill: colour.sheet, ...border(colour, own.status, colour[node.hue], 2)});
  const lines = [];
  if (own.acknowledged !== null) lines.push(`acked ${own.acknowledged}`);
  if (own.retries) lines.push(`retries ${own.retries}`);
  if (own.position !== null) lines.push(`at ${own.position}`);
  const lead = state.cluster(i).leader, high = lead >= 0 ? state.node(lead, i).end : null;
  if (own.position !== null && high !== null) lines.push(`lag ${Math.max(0, high - own.position)}`);
  if (!lines.length) lines.push(lastWords(scene, n));
  const room = Math.max(0, Math.min(lines.length, Math.floor((at.h - 24) / 17)));
  const top = at.y + at.h / 2 - room * 9;
  write(c, node.name, middle, top, {size: 13, bold: true, colour: colour.ink, align: "center", most: at.w - 8, font});
  lines.slice(0, room).forEach((text, k) => write(c, text, middle, top + 19 + k * 17, {size: 12, colour: colour.muted, align: "center", most: at.w - 8, font}));
  c.globalAlpha = 1;
}

function drawPill(c, scene, n, at, own) {
  const {trace, look: {colour, font}, dim} = scene;
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h, {fill: colour.sheet, ...border(colour, own.status, colour.muted, 1.4), radius: 17});
  write(c, trace.nodes[n].name, at.x + at.w / 2, at.y + at.h / 2, {size: 13, bold: true, colour: colour.ink, align: "center", most: at.w - 14, font});
  c.globalAlpha = 1;
}

// What a node of which nothing is known did last.
function lastWords({trace, i}, n) {
  for (let e = i; e >= Math.max(0, i - 2000); e--)
    if (trace.node[e] === n) return `${trace.kinds[trace.kind[e]].name.replace("_", " ")} ${recordsOf(trace, e)}`.trim();
  return "";
}

// Messages on their way at this moment: a dot on an arc; a lost one ends in a cross.
function drawFlights(c, scene, hits) {
  const {trace, look: {colour, font}, plan, t, linger, passes} = scene, free = shelf();
  for (const [, at] of plan.places) free(at.x, at.y, at.w, at.h);
  for (const m of scene.flights) {
    const a = plan.places.get(m.from), b = plan.places.get(m.to);
    if (!a || !b || t > m.due + linger || !passes(m.send)) continue;
    const span = m.due - m.left, part = span > 0 ? Math.min(1, (t - m.left) / span) : 1, path = arc(a, b), [x, y] = path(part);
    c.globalAlpha = t > m.due ? 0.75 : 1;
    c.strokeStyle = colour[m.hue]; c.lineWidth = 1.3; c.setLineDash(m.reply ? [6, 4] : [1.5, 3.5]); c.beginPath();
    for (let step = 0; step <= 24; step++) c.lineTo(...path(step / 24));
    c.stroke(); c.setLineDash([]);
    if (m.lost && part >= 1) glyph(c, "cross", x, y, 5.5, colour.lost);
    else { c.beginPath(); c.arc(x, y, 5.5, 0, TAU); c.fillStyle = m.reply ? colour.sheet : colour[m.hue]; c.fill(); c.strokeStyle = colour[m.hue]; c.lineWidth = 2; c.stroke(); }
    hits.push({x: x - 8, y: y - 8, w: 16, h: 16, event: m.send});
    const text = `${trace.kinds[trace.kind[m.send]].name} ${recordsOf(trace, m.send)}`.trim();
    c.font = `12px ${font}`;
    const w = c.measureText(text).width + 8, [mx, my] = part > 0.15 && part < 0.85 ? [x, y] : path(0.5);
    for (const dy of [-24, 8, -40, 24]) {
      const lx = Math.max(2, Math.min(scene.width - w - 2, mx - w / 2)), ly = my + dy;
      if (ly < 0 || !free(lx, ly, w, 16)) continue;
      box(c, lx, ly, w, 16, {fill: colour.panel, radius: 4});
      write(c, text, lx + 4, ly + 8, {size: 12, colour: colour.ink, font});
      break;
    }
    c.globalAlpha = 1;
  }
}

// The way from one box to another, 0 to 1: over the top between servers and clients, straight to and from controllers.
function arc(a, b) {
  const clamp = (low, x, high) => Math.max(low, Math.min(high, x)), ax = a.x + a.w / 2, bx = b.x + b.w / 2;
  if (a.kind === "pill" || b.kind === "pill") {
    const [p, q] = [edge(a, bx, b.y + b.h / 2), edge(b, ax, a.y + a.h / 2)];
    return s => [p[0] + (q[0] - p[0]) * s, p[1] + (q[1] - p[1]) * s];
  }
  const right = bx > ax ? 1 : -1, p = [clamp(a.x, ax + right * a.w * 0.22, a.x + a.w), a.y], q = [clamp(b.x, bx - right * b.w * 0.22, b.x + b.w), b.y];
  const control = [(p[0] + q[0]) / 2, Math.max(-26, Math.min(p[1], q[1]) - 34 - Math.abs(bx - ax) * 0.16)];
  return s => [(1 - s) ** 2 * p[0] + 2 * s * (1 - s) * control[0] + s * s * q[0], (1 - s) ** 2 * p[1] + 2 * s * (1 - s) * control[1] + s * s * q[1]];
}

// Where the line from the middle of a box towards a point leaves the box.
function edge(at, x, y) {
  const mx = at.x + at.w / 2, my = at.y + at.h / 2, dx = x - mx, dy = y - my;
  const scale = Math.min(at.w / 2 / Math.max(1e-9, Math.abs(dx)), at.h / 2 / Math.max(1e-9, Math.abs(dy)));
  return [mx + dx * scale, my + dy * scale];
}


// Space and time

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
  const {trace, look: {colour, font}, grid, view, passes, width} = scene, until = view.from + view.width, bottom = grid.height - 26, free = shelf();
  const seen = trace.messages.filter(m => m.left <= until && m.due >= view.from), narrow = seen.length > 400;
  drawTimes(c, scene, bottom);
  c.save(); c.beginPath(); c.rect(grid.left, 20, grid.right - grid.left + 9, bottom - 18); c.clip();
  for (const gap of trace.gaps) drawGap(c, scene, gap, bottom, free);
  for (const span of trace.down) drawDown(c, scene, span, free);
  for (const [lane, y] of grid.y) { c.strokeStyle = colour.rule; c.lineWidth = 1.4; c.beginPath(); c.moveTo(grid.left, y); c.lineTo(grid.right, y); c.stroke(); }
  for (const strong of [false, true]) drawArrows(c, scene, seen.filter(m => passes(m.send) === strong), strong, narrow);
  drawLocals(c, scene, narrow);
  drawMarks(c, scene, free);
  if (seen.length <= 150) labelArrows(c, scene, seen.filter(m => passes(m.send)), free);
  c.restore();
  for (const [n, y] of grid.y) write(c, trace.nodes[n].name, grid.left - 10, y, {size: 13, bold: true, colour: colour.ink, align: "right", most: grid.left - 14, font});
}

function drawTimes(c, {trace, look: {colour, font}, grid, view}, bottom) {
  let step = niceStep(view.width / Math.max(2, (grid.right - grid.left) / 100));
  c.font = `11.5px ${font}`;
  const last = trace.origin + view.from + view.width;
  while (c.measureText(clock(last, step)).width + 18 > step / view.width * (grid.right - grid.left)) step = niceStep(step * 1.5);
  for (let k = Math.ceil((trace.origin + view.from) / step - 1e-6); k * step <= last + step * 1e-6; k++) {
    const x = grid.x(k * step - trace.origin), text = clock(k * step, step), half = c.measureText(text).width / 2;
    c.strokeStyle = colour.rule; c.lineWidth = 0.8; c.beginPath(); c.moveTo(x, 24); c.lineTo(x, bottom); c.stroke();
    write(c, text, Math.min(x, grid.right + 14 - half), bottom + 13, {size: 11.5, colour: colour.muted, align: "center", font});
  }
}

function drawGap(c, {look: {colour, font}, grid, view}, [from, to], bottom, free) {
  if (to < view.from || from > view.from + view.width) return;
  const x = Math.max(grid.left, grid.x(from)), w = Math.max(2, Math.min(grid.right, grid.x(to)) - x);
  c.save(); c.beginPath(); c.rect(x, 24, w, bottom - 24); c.clip();
  c.strokeStyle = colour.rule; c.lineWidth = 1; c.beginPath();
  for (let s = x - bottom; s < x + w; s += 9) { c.moveTo(s, bottom); c.lineTo(s + bottom, 0); }
  c.stroke(); c.restore();
  if (w > 90 && free(x + w / 2 - 36, bottom - 16, 72, 14)) write(c, "not shown", x + w / 2, bottom - 9, {size: 11.5, colour: colour.muted, align: "center", font});
}

function drawDown(c, {trace, look: {colour, font}, grid, view}, span, free) {
  const y = grid.y.get(span.node);
  if (y === undefined || span.to < view.from || span.from > view.from + view.width) return;
  const x = Math.max(grid.left, grid.x(span.from)), w = Math.max(1, Math.min(grid.right, grid.x(span.to)) - x), word = STOPS[span.kind] === "paused" ? "paused" : "down";
  box(c, x, y - grid.high * 0.3, w, grid.high * 0.6, {fill: span.kind === "pause" ? colour.waits : colour.fails, radius: 3});
  if (w > 70 && free(x + w - 46, y - 8, 44, 16)) write(c, word, x + w - 5, y, {size: 12, bold: true, colour: colour.lost, align: "right", font});
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
    c.strokeStyle = c.fillStyle = colour[group[0].hue]; c.lineWidth = narrow ? 0.8 : 1.5; c.setLineDash(group[0].reply && !narrow ? [4, 3] : []); c.beginPath();
    for (const m of group) { c.moveTo(grid.x(m.left), grid.y.get(m.from)); c.lineTo(grid.x(m.due), grid.y.get(m.to)); }
    c.stroke(); c.setLineDash([]); c.beginPath();
    for (const m of group) if (!narrow) {
      arrowHead(c, grid.x(m.left), grid.y.get(m.from), grid.x(m.due), grid.y.get(m.to), m.lost || m.arrival < 0);
    }
    c.fill();
  }
  for (const m of messages) if (m.lost) glyph(c, "cross", grid.x(m.due), grid.y.get(m.to), narrow ? 3 : 4.2, colour.lost);
  c.globalAlpha = 1;
}

function arrowHead(c, x0, y0, x1, y1, none) {
  c.moveTo(x0 + 2.4, y0); c.arc(x0, y0, 2.4, 0, TAU);
  if (none) return;
  const angle = Math.atan2(y1 - y0, x1 - x0), at = turn => [x1 - 8 * Math.cos(angle + turn), y1 - 8 * Math.sin(angle + turn)];
  c.moveTo(x1, y1); c.lineTo(...at(0.38)); c.lineTo(...at(-0.38)); c.closePath();
}

function drawLocals(c, {trace, look: {colour}, grid, view, passes}, narrow) {
  if (narrow) return;
  const first = lastAt(trace.time, view.from - 1e-12), last = lastAt(trace.time, view.from + view.width);
  c.fillStyle = colour.muted;
  for (let i = first + 1; i <= last; i++)
    if (trace.shape(i) === "local" && !trace.background[i] && passes(i)) { c.beginPath(); c.arc(grid.x(trace.time[i]), grid.y.get(trace.node[i]), 1.7, 0, TAU); c.fill(); }
}

function drawMarks(c, {trace, look: {colour, font}, grid, view}, free) {
  for (const i of trace.states) {
    if (trace.time[i] < view.from || trace.time[i] > view.from + view.width) continue;
    const kind = trace.kinds[trace.kind[i]], x = grid.x(trace.time[i]), y = grid.y.get(trace.node[i]), tone = colour[kind.hue] ?? colour.muted;
    glyph(c, kind.mark, x, y, 5.5, tone);
    const word = kind.name.replace("_", " ");
    c.font = `600 12px ${font}`;
    const w = c.measureText(word).width;
    const spots = [-14, 14].flatMap(dy => [[x + 5, y + dy], [x - w - 6, y + dy]]);
    const spot = spots.find(([lx, ly]) => lx + w < grid.right + 8 && free(lx - 2, ly - 7, w + 4, 14));
    if (spot) write(c, word, ...spot, {size: 12, bold: true, colour: tone, font});
  }
}

function labelArrows(c, {trace, look: {colour, font}, grid}, messages, free) {
  c.font = `11.5px ${font}`;
  for (const m of messages) {
    const text = recordsOf(trace, m.send);
    if (!text) continue;
    const x = (grid.x(m.left) + grid.x(m.due)) / 2 + 7, step = Math.sign(grid.y.get(m.to) - grid.y.get(m.from)), y = grid.y.get(m.from) + step * grid.high * 0.5;
    const w = c.measureText(text).width;
    if (x + w < grid.right && free(x - 2, y - 7, w + 4, 14)) write(c, text, x, y, {size: 11.5, colour: colour.muted, font});
  }
}

// What moves: messages on their way drawn bold, the event at hand ringed, the cursor and its time.
function drawCursor(c, {trace, look: {colour, font}, grid, view, t, i, flights, passes}) {
  c.save(); c.beginPath(); c.rect(grid.left - 8, 0, grid.right - grid.left + 18, grid.height); c.clip();
  for (const m of flights) if (m.due >= t && passes(m.send)) {
    c.strokeStyle = colour[m.hue]; c.lineWidth = 3.2; c.setLineDash(m.reply ? [6, 4] : []);
    c.beginPath(); c.moveTo(grid.x(m.left), grid.y.get(m.from)); c.lineTo(grid.x(m.due), grid.y.get(m.to)); c.stroke(); c.setLineDash([]);
  }
  const x = grid.x(t);
  c.strokeStyle = colour.cursor; c.lineWidth = 2; c.beginPath(); c.moveTo(x, 20); c.lineTo(x, grid.height - 26); c.stroke();
  if (i >= 0 && trace.time[i] === t) { c.lineWidth = 2.2; c.beginPath(); c.arc(x, grid.y.get(trace.node[i]), 8, 0, TAU); c.stroke(); }
  c.restore();
  const text = clock(trace.origin + t, Math.min(0.001, niceStep(view.width / 500)));
  c.font = `600 12px ${font}`;
  const w = c.measureText(text).width + 18, at = Math.max(grid.left - 10, Math.min(grid.right + 16 - w, x - w / 2));
  box(c, at, 3, w, 19, {fill: colour.cursor, radius: 10});
  write(c, text, at + w / 2, 12.5, {size: 12, bold: true, colour: colour.sheet, align: "center", font});
}


// The strip above the scrub bar: how much happens when, the changes of state, what is left out, and the stretch the diagram shows.
function drawStrip(c, {trace, look: {colour}, view, width}) {
  const inset = 9, wide = width - 2 * inset, bins = Math.max(20, Math.floor(wide / 5)), counts = new Float64Array(bins), x = t => inset + t / (trace.end || 1) * wide;
  for (const i of trace.shown) counts[Math.min(bins - 1, Math.floor(trace.time[i] / (trace.end || 1) * bins))]++;
  const most = Math.max(...counts, 1);
  c.fillStyle = colour.viewed; c.fillRect(x(Math.max(0, view.from)), 0, Math.max(2, x(Math.min(trace.end, view.from + view.width)) - x(Math.max(0, view.from))), 42);
  c.fillStyle = colour.consumer;
  counts.forEach((n, k) => { if (n) { const h = 2 + 15 * Math.sqrt(n / most); c.fillRect(inset + k * wide / bins, 20 - h, wide / bins - 1.5, h); } });
  c.fillStyle = colour.rule;
  for (const [from, to] of trace.gaps) c.fillRect(x(from), 17, x(to) - x(from), 3);
  for (const i of trace.states) {
    const kind = trace.kinds[trace.kind[i]], tone = colour[kind.hue] ?? colour.muted;
    c.fillStyle = tone; c.fillRect(x(trace.time[i]) - 0.9, 12, 1.8, 26);
    glyph(c, kind.mark, x(trace.time[i]), 7, 3.6, tone);
  }
}
