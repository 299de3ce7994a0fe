// The topology: nodes with their logs, and the messages on their way between them at this moment.

// Where every node stands: clients left and right, servers between them in columns by zone, controllers below.
// Logs get as many rows as there is room for.
function layout(trace, play, width, room) {
  const of = hues => trace.nodes.map((_, n) => n).filter(n => hues.includes(trace.nodes[n].hue));
  const left = of(["producer"]), right = of(["consumer"]), servers = of(["broker"]), others = of(["controller"]);
  const tight = width < 560, side = tight ? 62 : Math.max(76, Math.min(104, width * 0.115)), air = tight ? 12 : 30;
  const from = left.length ? side + air : 10, to = width - (right.length ? side + air : 10);
  const names = [...new Set(servers.map(n => trace.nodes[n].zone))];
  const zones = names.map(zone => ({zone, nodes: servers.filter(n => trace.nodes[n].zone === zone)}));
  const across = zones.map(z => zones.length > 1 ? 1 : Math.min(4, z.nodes.length));
  const columns = across.reduce((a, b) => a + b, 0) || 1;
  const stack = Math.max(1, ...zones.map((z, k) => Math.ceil(z.nodes.length / across[k])));
  const logs = servers.some(n => play.hasLog(n)), alone = Math.max(6, Math.min(ROWS_KEPT, Math.floor((room - 250) / 17)));
  const rows = !logs ? 0 : stack === 1 ? alone : stack === 2 ? 4 : 2;
  const tall = 52 + rows * 17 + (logs ? 12 : 20), gap = tight ? 4 : 12, inset = tight ? 3 : 9;
  const column = (to - from - gap * (zones.length - 1)) / columns;
  const top = 40, places = new Map(), frames = [];
  let x = from, bottom = top;
  zones.forEach(({zone, nodes}, k) => {
    const w = column * across[k], h = 26 + stack * (tall + 28) + 14;
    frames.push({zone, x, y: top, w, h});
    nodes.forEach((n, place) => {
      const each = w / across[k], row = Math.floor(place / across[k]);
      places.set(n, {x: x + (place % across[k]) * each + inset, y: top + 26 + row * (tall + 28),
        w: each - 2 * inset, h: tall, kind: "server"});
    });
    x += w + gap;
    bottom = Math.max(bottom, top + h);
  });
  if (!zones.length) bottom = 150;
  if (play.owning) bottom = Math.max(bottom, top + 62 * right.length);  // room for what each member owns
  others.forEach((n, k) => {
    const w = Math.min(150, (to - from) / others.length - 10);
    const at = (from + to) / 2 + (k - (others.length - 1) / 2) * (w + 10) - w / 2;
    places.set(n, {x: at, y: bottom + 16, w, h: 34, kind: "pill"});
  });
  const height = Math.max(bottom + (others.length ? 62 : 10), Math.max(left.length, right.length) * 40 + 60);
  for (const [nodes, at] of [[left, tight ? 4 : 10], [right, width - side - (tight ? 4 : 10)]]) {
    const each = (bottom - top) / Math.max(1, nodes.length), h = Math.max(30, Math.min(86, each - 8));
    const first = top + Math.max(0, bottom - top - nodes.length * (h + 8)) / 2;
    nodes.forEach((n, k) => places.set(n, {x: at, y: first + k * (h + 8), w: side, h, kind: "client"}));
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
  if (replicas.length && trace.keys.length > 1)
    write(c, `log of ${trace.keys[scene.key]}`, 12, 16, {size: 12, colour: colour.muted, font});
  for (const [n, at] of plan.places) {
    const draw = at.kind === "server" ? drawServer : at.kind === "client" ? drawClient : drawPill;
    draw(c, scene, n, at, state.node(n, i), cluster, rows, replicas);
    hits.push({...at, node: n});
  }
  drawFlights(c, scene, hits);
  return hits;
}

function border(colour, status, hue, thick) {
  return status === "up" ? {stroke: hue, line: thick}
    : {stroke: status === "paused" ? colour.watermark : colour.lost, line: 2.2, dash: [5, 4]};
}

// A server: who it is, what it is to this partition, its log with the high watermark, and the last change of its state.
function drawServer(c, scene, n, at, own, cluster, rows, replicas) {
  const {trace, look: {colour, font}, state, dim} = scene, middle = at.x + at.w / 2, leads = cluster.leader === n;
  const up = own.status === "up", hue = !up ? colour.lost : leads ? colour.leader : colour.ink;
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h,
    {fill: colour.sheet, ...border(colour, own.status, leads ? colour.leader : colour.muted, leads ? 2.4 : 1.4)});
  write(c, trace.nodes[n].name, middle, at.y + 16,
    {size: 14, bold: true, colour: hue, align: "center", most: at.w - 10, font});
  const follows = {true: "follower · in sync", false: "follower · out of sync", null: "follower"}[inSync(cluster, n)];
  const part = !state.hasLog(n) ? trace.nodes[n].role : leads && cluster.epoch >= 0 ? `leader · epoch ${cluster.epoch}` : leads ? trace.nodes[n].role : follows;
  const small = {size: 12, colour: colour.muted, align: "center", most: at.w - 8, font};
  write(c, part, middle, at.y + 35, {...small, colour: leads ? hue : colour.muted});
  const room = {x: at.x + 9, y: at.y + 48, w: at.w - (at.w < 110 ? 18 : 37), named: at.w >= 110};
  if (own.end !== null) drawLog(c, scene, n, room, own, rows, replicas);
  else if (!scene.plan.rows) write(c, lastWords(scene, n), middle, at.y + 55, small);
  const told = up ? own.last : own.since;
  if (told >= 0) {
    const kind = trace.kinds[trace.kind[told]], tone = colour[kind.hue] ?? colour.muted;
    const word = `${kind.name.replace("_", " ")} ${clock(trace.origin + trace.time[told])}`;
    c.font = `600 12px ${font}`;
    const w = Math.min(c.measureText(word).width, at.w - 12);
    glyph(c, kind.mark, middle - w / 2 - 5, at.y + at.h + 13, 4, tone);
    write(c, word, middle - w / 2 + 4, at.y + at.h + 13, {size: 12, bold: true, colour: tone, most: at.w - 12, font});
  }
  c.globalAlpha = 1;
}

// The end of a log: full boxes are records it holds, empty ones are held elsewhere; consumers may read up to the line.
function drawLog(c, scene, n, at, own, rows, replicas) {
  const {look: {colour, font}, state, i, record} = scene, height = 17, down = own.status !== "up";
  const visible = replicas.flatMap(r => state.node(r, i).log).filter(b => rows.length && b.to > rows[0][0]);
  const epochs = new Set(visible.map(b => b.epoch));
  const holds = (log, [from]) => log.find(b => b.from <= from && from < b.to);
  const behind = rows.length && own.end <= rows[0][0];
  rows.forEach(([from, to], r) => {
    const y = at.y + r * height, has = own.end > from, batch = has ? holds(own.log, [from]) : null;
    const same = log => !batch || (holds(log, [from]) ?? batch).epoch === batch.epoch;
    const others = replicas.filter(o => o !== n && state.node(o, i).end > from && same(state.node(o, i).log));
    const only = has && !others.length && replicas.length > 1;
    const fill = !has ? colour.hole : only ? colour.only : down ? colour.dimmed : colour.held;
    const stroke = record !== null && from <= record && record < to ? colour.watermark : only ? colour.lost : null;
    box(c, at.x, y, at.w, height - 3, {fill, stroke, radius: 3, line: 1.6, dash: only ? [3, 2] : []});
    if (behind) return;
    const ink = !has ? colour.muted : only ? colour.ink : down ? colour.ink : colour.onHeld;
    const wide = write(c, range(from, to), at.x + 5, y + 7.5, {size: 11, colour: ink, most: at.w - 8, font});
    const note = only ? "only copy" : epochs.size > 1 && batch && batch.epoch >= 0 ? `epoch ${batch.epoch}` : "";
    c.font = `10px ${font}`;
    if (note && at.w - wide > c.measureText(note).width + 11)
      write(c, note, at.x + at.w - 4, y + 7.5, {size: 10, colour: ink, align: "right", font});
  });
  const centre = {size: 11.5, colour: colour.ink, align: "center", font};
  if (behind) write(c, `ends at ${own.end}`, at.x + at.w / 2, at.y + rows.length * height / 2, centre);
  if (own.high === null || !rows.length || own.high < rows[0][0]) return;
  const place = rows.findIndex(([from]) => from >= own.high);
  const y = at.y + (place < 0 ? rows.length : place) * height - 1.5;
  path(c, [[at.x - 5, y], [at.x + at.w + 3, y]], {stroke: colour.watermark, line: 2.4});
  if (at.named) write(c, "HW", at.x + at.w + 4, y, {size: 10.5, bold: true, colour: colour.watermarkText, font});
}

function drawClient(c, scene, n, at, own) {
  const {trace, look: {colour, font}, state, i, dim} = scene, node = trace.nodes[n], middle = at.x + at.w / 2;
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h, {fill: colour.sheet, ...border(colour, own.status, colour[node.hue], 2)});
  const lines = [];
  if (own.owns) lines.push(`owns ${own.owns.map(k => trace.keys[k].split("-").at(-1)).join(" ") || "nothing"}`);
  if (own.acknowledged !== null) lines.push(`acked ${own.acknowledged}`);
  if (own.retries) lines.push(`retries ${own.retries}`);
  if (own.position !== null) lines.push(`at ${own.position}`);
  const lead = state.cluster(i).leader, high = lead >= 0 ? state.node(lead, i).end : null;
  if (own.position !== null && high !== null) lines.push(`lag ${Math.max(0, high - own.position)}`);
  if (!lines.length) lines.push(lastWords(scene, n));
  const room = Math.max(0, Math.min(lines.length, Math.floor((at.h - 24) / 17)));
  const top = at.y + at.h / 2 - room * 9;
  write(c, node.name, middle, top, {size: 13, bold: true, colour: colour.ink, align: "center", most: at.w - 8, font});
  const small = {size: 12, colour: colour.muted, align: "center", most: at.w - 8, font};
  lines.slice(0, room).forEach((text, k) => write(c, text, middle, top + 19 + k * 17, small));
  c.globalAlpha = 1;
}

function drawPill(c, scene, n, at, own) {
  const {trace, look: {colour, font}, dim} = scene;
  c.globalAlpha = dim(n) ? 0.4 : 1;
  box(c, at.x, at.y, at.w, at.h, {fill: colour.sheet, ...border(colour, own.status, colour.muted, 1.4), radius: 17});
  const lines = [trace.nodes[n].name, ...own.end === null ? [] : [`log ends at ${own.end}`]];
  lines.forEach((text, k) => write(c, text, at.x + at.w / 2, at.y + at.h / 2 + 15 * k - 7 * (lines.length - 1),
    {size: k ? 11.5 : 13, bold: !k, colour: k ? colour.muted : colour.ink, align: "center", most: at.w - 14, font}));
  c.globalAlpha = 1;
}

// What a node of which nothing is known did last.
function lastWords({trace, i}, n) {
  for (let e = i; e >= Math.max(0, i - 2000); e--)
    if (trace.node[e] === n)
      return `${trace.kinds[trace.kind[e]].name.replace("_", " ")} ${recordsOf(trace, e)}`.trim();
  return "";
}

// Messages on their way at this moment: a dot on an arc; a lost one ends in a cross.
function drawFlights(c, scene, hits) {
  const {trace, look: {colour, font}, plan, t, passes} = scene, free = shelf();
  for (const [, at] of plan.places) free(at.x, at.y, at.w, at.h);
  const flying = scene.flights.filter(m => passes(m.send)).map(m => {
    const span = m.due - m.left, part = span > 0 ? Math.min(1, (t - m.left) / span) : 1;
    const way = arc(plan.places.get(m.from), plan.places.get(m.to));
    return {m, part, way, at: way(part)};
  });
  for (const {at: [x, y]} of flying) free(x - 7, y - 7, 14, 14);
  for (const {m, part, way, at: [x, y]} of flying) {
    c.globalAlpha = t > m.due ? 0.75 : 1;
    const points = Array.from({length: 25}, (_, step) => way(step / 24));
    path(c, points, {stroke: colour[m.hue], line: 1.3, dash: m.reply ? [6, 4] : [1.5, 3.5]});
    if (m.lost && part >= 1) glyph(c, "cross", x, y, 5.5, colour.lost);
    else disc(c, x, y, 5.5, {fill: m.reply ? colour.sheet : colour[m.hue], stroke: colour[m.hue]});
    hits.push({x: x - 8, y: y - 8, w: 16, h: 16, event: m.send});
    const text = `${trace.name(m.send).replace("_", " ")} ${recordsOf(trace, m.send)}`.trim();
    c.font = `12px ${font}`;
    const w = c.measureText(text).width + 8, [mx, my] = part > 0.15 && part < 0.85 ? [x, y] : way(0.5);
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
  const right = bx > ax ? 1 : -1, p = [clamp(a.x, ax + right * a.w * 0.22, a.x + a.w), a.y];
  const q = [clamp(b.x, bx - right * b.w * 0.22, b.x + b.w), b.y];
  const control = [(p[0] + q[0]) / 2, Math.max(-26, Math.min(p[1], q[1]) - 34 - Math.abs(bx - ax) * 0.16)];
  return s => [0, 1].map(axis => (1 - s) ** 2 * p[axis] + 2 * s * (1 - s) * control[axis] + s * s * q[axis]);
}

// Where the line from the middle of a box towards a point leaves the box.
function edge(at, x, y) {
  const mx = at.x + at.w / 2, my = at.y + at.h / 2, dx = x - mx, dy = y - my;
  const scale = Math.min(at.w / 2 / Math.max(1e-9, Math.abs(dx)), at.h / 2 / Math.max(1e-9, Math.abs(dy)));
  return [mx + dx * scale, my + dy * scale];
}
