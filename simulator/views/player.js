// The controls: one class a player, wired to the shadow root it lives in.

const PAGE = `
<div class="page" part="page">
  <h2 class="title"></h2><p class="subtitle"></p>
  <ul class="chips" aria-label="Verdicts"></ul>
  <div class="top">
    <div class="panel nodes"><canvas role="img"></canvas><div class="tip" hidden></div></div>
    <section class="panel why" hidden><h3></h3><ol></ol></section>
  </div>
  <div class="panel times"><canvas role="img"></canvas><div class="tip" hidden></div></div>
  <p class="now" role="status" aria-live="polite"></p>
  <div class="panel controls">
    <div class="buttons" role="group" aria-label="Replay">
      <button data-do="first" aria-label="First event" title="First event (Home)">|◂</button>
      <button data-do="back" aria-label="Previous event" title="Previous event (←)">◂</button>
      <button data-do="play" aria-label="Play" title="Play or pause (space)" class="play">▶</button>
      <button data-do="next" aria-label="Next event" title="Next event (→)">▸</button>
      <button data-do="last" aria-label="Last event" title="Last event (End)">▸|</button>
    </div>
    <div class="scrub"><canvas aria-hidden="true"></canvas>
      <input class="time" type="range" aria-label="Simulated time" step="any" min="0"></div>
    <div class="settings">
      <label>speed <input class="speed" type="range" min="-6" max="2" step="0.1"
        aria-label="Simulated seconds per second"><output></output></label>
      <span class="zoom" role="group" aria-label="Zoom">zoom
        <button data-do="out" aria-label="Zoom out" title="Zoom out (−)">−</button>
        <button data-do="in" aria-label="Zoom in" title="Zoom in (+)">+</button></span>
      <label>node <select class="node"></select></label>
      <label>partition <select class="key"></select></label>
      <label>record <input class="record" type="number" min="0" placeholder="any"
        aria-label="Offset of a record to follow"></label>
    </div>
  </div>
  <p class="notice" hidden></p>
  <p class="help"></p>
  <details><summary>The same as text</summary>
    <div class="text" tabindex="0" role="region" aria-label="Events as text"></div></details>
</div>`;

const TEXT_ROWS = 200, VIEWS_A_SCREEN = 9;  // seconds of watching that the diagram's width takes at the first speed

class TracePlayer {
  constructor(host, data, css) {
    this.host = host;
    this.trace = decode(data);
    this.drawn = data.key;                         // the partition whose log is drawn while none is chosen
    this.root = host.attachShadow({mode: "open"});
    const style = document.createElement("style");
    style.textContent = css;
    this.root.innerHTML = PAGE;
    this.root.prepend(style);
    this.$ = selector => this.root.querySelector(selector);
    this.playing = this.visible = false;
    this.filter = {node: -1, key: data.chosen ? data.key : -1, record: null};
    this.work = host.frameWork = [];               // milliseconds of each of the last frames, for whoever measures
    this.slow = matchMedia("(prefers-reduced-motion: reduce)");
    this.fill();
    this.listen();
    this.refilter();
    this.open();
  }

  // Text that never changes, and the choices of the filters.
  fill() {
    const {trace, $} = this;
    const add = (list, tag, textContent, more = {}) =>
      list.appendChild(Object.assign(document.createElement(tag), {textContent, ...more}));
    $(".title").textContent = trace.title;
    $(".subtitle").textContent = trace.subtitle;
    for (const [symbol, text] of trace.verdicts) {
      const chip = add($(".chips"), "li", "", {className: {"✓": "yes", "✗": "no"}[symbol] ?? ""});
      add(chip, "b", symbol); chip.append(text);
    }
    $(".chips").hidden = !trace.verdicts.length;
    if (trace.explanation.length) this.fillWhy(add);
    $(".notice").textContent = trace.notice; $(".notice").hidden = !trace.notice;
    const log = trace.kinds.some(kind => kind.name === "high_watermark");
    $(".help").innerHTML = `<kbd>space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> step from event to event,
      <kbd>Home</kbd> <kbd>End</kbd> jump, <kbd>+</kbd> <kbd>−</kbd> zoom. Dashed: replies. ✗: lost.${log ? " HW: high watermark, what consumers may read up to." : ""}`;
    const numbered = trace.keys.every(key => /-\d+$|^__/.test(key));  // as partitions are, and Kafka's own topics
    $(".key").closest("label").firstChild.textContent = numbered ? "partition " : "queue ";
    add($(".node"), "option", "all", {value: -1});
    for (const n of trace.lanes) add($(".node"), "option", trace.nodes[n].name, {value: n});
    add($(".key"), "option", "all", {value: -1});
    trace.keys.forEach((key, k) => add($(".key"), "option", key, {value: k}));
    $(".key").value = this.filter.key;
    for (const name of [".key", ".record"]) this.$(name).closest("label").hidden = !trace.keys.length;
    $(".time").max = trace.end || 1;
    $(".nodes canvas").setAttribute("aria-label",
      `${trace.title}: nodes and messages on their way. The text below says what happens.`);
    $(".times canvas").setAttribute("aria-label",
      "Space-time diagram: each node a line, each message an arrow. The text below lists the events.");
  }

  fillWhy(add) {
    const {trace, $} = this;
    const times = [...new Set(trace.explanation.map(([time]) => time).filter(time => time !== null))];
    const told = digits => times.map(time => (trace.origin + time).toFixed(digits));
    const digits = [3, 4, 5].find(digits => new Set(told(digits)).size === times.length) ?? 6;  // enough to tell apart
    $(".why").style.setProperty("--clock", `${Math.max(1, ...told(digits).map(text => text.length)) * 7.4}px`);
    $(".why").hidden = false; $(".top").classList.add("told"); $(".why h3").textContent = trace.question;
    for (const [time, text, event, hue] of trace.explanation) {
      const item = add($(".why ol"), "li", ""),
        line = add(item, event < 0 ? "div" : "button", "", {className: event < 0 ? "untimed" : ""});
      add(line, "i", "").style.background = `var(--${hue})`;
      add(line, "time", time === null ? "–" : (trace.origin + time).toFixed(digits));
      add(line, "span", text);
      if (event >= 0) { line.dataset.event = event; line.addEventListener("click", () => this.seek(event)); }
    }
  }

  listen() {
    const {$, root} = this, on = (target, event, handler) => target.addEventListener(event, handler);
    on(root, "click", event => this.act(event.target.closest?.("[data-do]")?.dataset.do));
    on(root, "keydown", event => this.press(event));
    on($(".time"), "input", () => { this.pause(); this.goTo(Number($(".time").value)); });
    on($(".speed"), "input", () => { this.speed = 10 ** Number($(".speed").value); this.showSpeed(); });
    on($(".node"), "change", () => { this.filter.node = Number($(".node").value); this.refilter(); });
    on($(".key"), "change", () => { this.filter.key = Number($(".key").value); this.refilter(); });
    on($(".record"), "input",
      () => { this.filter.record = $(".record").value === "" ? null : Number($(".record").value); this.refilter(); });
    on($("details"), "toggle", () => this.tellAll());
    on($(".times canvas"), "pointerdown",
      event => { this.dragging = true; event.target.setPointerCapture(event.pointerId); this.drag(event); });
    on($(".times canvas"), "pointermove", event => this.dragging ? this.drag(event) : this.hoverTimes(event));
    for (const end of ["pointerup", "pointercancel"]) on($(".times canvas"), end, () => { this.dragging = false; });
    on($(".times canvas"), "wheel", event => this.roll(event));
    on($(".nodes canvas"), "pointermove", event => this.hoverNodes(event));
    for (const name of [".times", ".nodes"])
      on($(`${name} canvas`), "pointerleave", () => { $(`${name} .tip`).hidden = true; });
    this.watch(on);
  }

  // The world outside: size, place on the page, theme.
  watch(on) {
    const again = () => { this.look = null; this.stale = true; this.draw(); };
    new ResizeObserver(again).observe(this.$(".page"));
    const seen = ([entry]) => { this.visible = entry.isIntersecting; again(); this.run(); };
    new IntersectionObserver(seen).observe(this.host);
    on(matchMedia("(prefers-color-scheme: dark)"), "change", again);
    new MutationObserver(() => { again(); setTimeout(again, 400); }).observe(document.body, {attributes: true});
  }

  // The moment and the stretch of time to open with: around the telling event, at the scale of what went before it.
  open() {
    const {trace} = this, shown = trace.shown, place = lastAt(shown, trace.start);
    const near = trace.time[shown[Math.max(0, place - 30)]] ?? 0,
      after = trace.time[shown[Math.min(shown.length - 1, place + 30)]] ?? 1;
    const at = trace.time[trace.start] ?? 0,
      width = Math.max(1e-6, Math.min(2.4 * (at - near), trace.end) || (after - at) || 1);
    this.view = {};
    this.show(at - 0.42 * width, width);
    this.speed = width / VIEWS_A_SCREEN;
    this.showSpeed();
    this.seek(trace.start);
  }

  // The palette as the page has it, light or dark, and its font.
  restyle() {
    const page = this.$(".page"), outside = getComputedStyle(this.host).getPropertyValue("--jp-layout-color0").trim();
    const dark = outside ? luminance(outside) < 0.5 : matchMedia("(prefers-color-scheme: dark)").matches;
    page.classList.toggle("dark", dark);
    const css = getComputedStyle(page), get = name => css.getPropertyValue(`--${name}`).trim();
    const hues = ["producer", "consumer", "broker", "controller", "lost", "leader", "watermark"];
    const names = [...hues, "ink", "muted", "rule"];
    const colour = {...Object.fromEntries(names.map(name => [name, get(name)])), sheet: css.backgroundColor};
    const faint = (hue, share) => `color-mix(in srgb, ${colour[hue]} ${share}%, ${colour.sheet})`;
    this.look = {font: css.fontFamily, colour: {...colour,
      panel: faint("ink", 3), zone: faint("ink", 6), hole: faint("ink", 5),
      held: dark ? faint("broker", 62) : colour.broker, onHeld: "#fff", only: faint("broker", dark ? 22 : 14),
      dimmed: faint("broker", 38), fails: faint("lost", 20), waits: faint("watermark", 26),
      viewed: faint("watermark", 20), watermarkText: dark ? colour.watermark : "#9A6A00", cursor: colour.lost}};
    for (const name of ["zone", "panel"]) page.style.setProperty(`--${name}`, this.look.colour[name]);
  }

  refilter() {
    const {trace, filter} = this, key = filter.key >= 0 ? filter.key : this.drawn;
    if (this.replayed !== key) { this.replayed = key; this.state = replay(trace, key); }
    this.passes = filterOf(trace, {...filter, recordKey: key});
    this.stops = trace.shown.filter(this.passes);
    this.stale = true;
    if (this.view) { this.tellAll(); this.draw(); }
  }

  // Moving

  // To an event, or, with `goTo`, to any moment.
  seek(event) { this.i = event; this.t = this.trace.time[event] ?? 0; this.follow(); this.draw(); }
  goTo(t) {
    this.t = Math.max(0, Math.min(this.trace.end, t));
    this.i = lastAt(this.trace.time, this.t);
    this.follow();
    this.draw();
  }

  // Turns the page of the diagram when the cursor leaves it.
  follow() {
    const {view, t} = this, place = (t - view.from) / view.width;
    if (place > 0.02 && place < 0.97) return;
    this.show(t - (this.playing && place > 0.5 ? 0.08 : 0.42) * view.width, view.width);
  }

  // Lays the diagram over a stretch of time, as far as there is any.
  show(from, width) {
    const room = this.trace.end - width, margin = 0.02 * width;
    const start = room > 0 ? Math.max(-margin, Math.min(room + margin, from)) : room / 2;
    if (this.view.from === start && this.view.width === width) return;
    this.view = {from: start, width};
    this.stale = true;
  }

  step(by) {
    const place = lastAt(this.stops, this.i), exact = this.stops[place] === this.i;
    const wanted = by > 0 ? place + 1 : exact ? place - 1 : place;
    const next = this.stops[Math.max(0, Math.min(this.stops.length - 1, wanted))];
    if (next !== undefined) this.seek(next);
  }

  zoom(by) {
    const {view, trace} = this, width = Math.max(1e-7, Math.min(1.1 * (trace.end || 1), view.width * by));
    const place = (this.t - view.from) / view.width;
    this.speed *= width / view.width;                       // what moves keeps its pace on the screen
    this.show(this.t - place * width, width);
    this.showSpeed();
    this.draw();
  }

  act(what) {
    if (!what) return;
    if (what === "play") return this.playing ? this.pause() : this.play();
    if (what === "in" || what === "out") return this.zoom(what === "in" ? 0.5 : 2);
    this.pause();
    if (what === "next" || what === "back") return this.step(what === "next" ? 1 : -1);
    const to = this.stops[what === "first" ? 0 : this.stops.length - 1];
    if (to !== undefined) this.seek(to);
  }

  press(event) {
    const from = event.target, busy = from.matches("select, input:not(.time), .text")
      || (event.key === " " && from.matches("button, summary"));
    const what = {" ": "play", ArrowLeft: "back", ArrowDown: "back", ArrowRight: "next", ArrowUp: "next", Home: "first",
      End: "last", "+": "in", "=": "in", "-": "out"}[event.key];
    if (!what || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.act(what);
  }

  play() {
    if (!this.stops.length) return;
    if (this.i >= this.stops.at(-1)) this.seek(this.stops[0]);
    this.playing = true; this.then = null; this.showPlaying(); this.run();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false; this.showPlaying(); this.draw();
  }

  // Frames while playing and on the screen; whoever asked for less motion gets one event after the other.
  run() {
    if (!this.playing || this.frame || !this.host.isConnected) return;
    if (!this.visible) { this.then = null; return; }
    if (this.slow.matches) { this.frame = setTimeout(() => this.advance(), 700); return; }
    this.frame = requestAnimationFrame(now => {
      this.frame = 0;
      if (!this.playing) return;
      const passed = this.then === null ? 0 : Math.min(0.1, (now - this.then) / 1000);
      this.then = now;
      this.tick(passed);
      this.run();
    });
  }

  advance() {
    this.frame = 0;
    if (!this.playing) return;
    this.step(1);
    if (this.i >= this.stops.at(-1)) this.pause(); else this.run();
  }

  // One frame further; a quiet stretch longer than a screenful is skipped.
  tick(passed) {
    const began = performance.now(), next = this.stops[lastAt(this.stops, this.i) + 1],
      flying = this.flights().length > 0;
    if (next === undefined && !flying) return this.pause();
    const to = this.t + passed * this.speed, ahead = next === undefined ? Infinity : this.trace.time[next];
    this.t = !flying && ahead - to > 1.2 * this.speed ? ahead - 0.15 * this.speed : to;
    this.t = Math.min(this.t, this.trace.end);
    this.i = lastAt(this.trace.time, this.t);
    this.follow();
    this.paint();
    this.work.push(performance.now() - began);
    if (this.work.length > 600) this.work.shift();
  }

  // Drawing

  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.paint(); });
  }

  // Messages on their way, and those that arrived a moment ago. Messages are sorted by departure.
  flights() {
    const {trace, t} = this, linger = this.linger(), found = [];
    for (const m of trace.messages) {
      if (m.left > t) break;
      if (t <= m.due + linger && m.send <= this.i) found.push(m);
    }
    return found;
  }

  linger() { return Math.min(this.view.width * 0.004, this.trace.flight * 0.4); }

  paint() {
    const width = Math.floor(this.$(".nodes").clientWidth), wide = Math.floor(this.$(".times").clientWidth),
      strip = Math.floor(this.$(".scrub").clientWidth);
    if (!width || !wide) return;
    if (!this.look) this.restyle();
    const {trace, look, state, view, passes, t, i} = this, record = this.filter.record;
    if (this.plan?.width !== width || this.plan.state !== state)
      this.plan = {...layout(trace, state, width, this.room()), width, state};
    const plan = this.plan;
    const scene = {trace, look, state, view, passes, t, i, record, key: this.replayed, flights: this.flights(),
      dim: n => this.filter.node >= 0 && n !== this.filter.node};
    this.hits = drawTopology(sized(this.$(".nodes canvas"), width, plan.height), {...scene, plan, width});
    const grid = this.grid = lanes(trace, wide, view);
    if (this.stale || this.still?.at !== wide) {
      this.still = {at: wide, canvas: document.createElement("canvas")};
      drawSpaceTime(sized(this.still.canvas, wide, grid.height), {...scene, grid, width: wide});
      drawStrip(sized(this.$(".scrub canvas"), strip, 42), {trace, look, view, width: strip});
      this.stale = false;
    }
    const c = sized(this.$(".times canvas"), wide, grid.height);
    c.drawImage(this.still.canvas, 0, 0, wide, grid.height);
    drawCursor(c, {...scene, grid});
    this.showMoment();
  }

  // How high the topology may grow: as high as the explanation beside it.
  room() {
    const why = this.$(".why");
    return why.hidden || why.offsetTop !== this.$(".nodes").offsetTop ? 0 : this.$(".why ol").offsetHeight + 54;
  }

  showMoment() {
    const {trace, t, i, $} = this, slider = $(".time"), last = i < 0 || trace.background[i] ? -1 : i;
    const words = last < 0 ? "before the first event" : tell(trace, last),
      moment = clock(trace.origin + t, Math.min(0.001, niceStep(this.view.width / 500)));
    slider.value = t;
    slider.style.setProperty("--at", `${100 * t / (trace.end || 1)}%`);
    slider.setAttribute("aria-valuetext", `${moment}, ${words}`);
    if (this.told === `${moment}${words}`) return;
    this.told = `${moment}${words}`;
    const now = $(".now"), time = document.createElement("time");
    time.textContent = moment;
    now.replaceChildren(time, words);
    for (const line of this.root.querySelectorAll(".why button"))
      if (Number(line.dataset.event) === i) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    if (!this.playing) this.tellAll();
  }

  showPlaying() {
    const button = this.$(".play");
    button.textContent = this.playing ? "❚❚" : "▶";
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.$(".now").setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  showSpeed() {
    const {speed, $} = this, digits = Math.floor(Math.log10(speed));
    $(".speed").value = Math.log10(speed);
    const power = [...String(digits)].map(d => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]).join("");
    const short = speed >= 0.995e-3 ? Number(speed.toPrecision(2)) : `${(speed / 10 ** digits).toFixed(0)}·10${power}`;
    $(".speed + output").textContent = `${short}×`;
  }

  // The events around this one, as a table; built only while somebody has it open.
  tellAll() {
    if (!this.$("details").open) return;
    const {trace, stops} = this, place = Math.max(0, lastAt(stops, this.i)),
      from = Math.max(0, Math.min(place - TEXT_ROWS / 2, stops.length - TEXT_ROWS));
    const rows = stops.slice(from, from + TEXT_ROWS), table = document.createElement("table"),
      head = table.createTHead().insertRow();
    table.createCaption().textContent = `Events ${from + 1} to ${from + rows.length} of ${stops.length}`;
    for (const textContent of ["time", "node", "what happens"])
      head.appendChild(Object.assign(document.createElement("th"), {textContent, scope: "col"}));
    const body = table.createTBody();
    for (const i of rows) {
      const row = body.insertRow();
      if (i === this.i) row.setAttribute("aria-current", "true");
      const time = clock(trace.origin + trace.time[i], 1e-6), node = trace.nodes[trace.node[i]]?.name ?? "";
      for (const text of [time, node, tell(trace, i)]) row.insertCell().textContent = text;
    }
    this.$(".text").replaceChildren(table);
  }

  // Pointing

  drag(event) {
    this.pause();
    this.$(".time").focus({preventScroll: true});
    this.goTo(this.grid.timeAt(event.offsetX));
  }

  roll(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8);
  }

  hoverTimes({offsetX: x, offsetY: y}) {
    const {trace, grid, view} = this;
    if (!grid) return;
    const reach = 8 / (grid.right - grid.left) * view.width, near = [];
    const first = lastAt(trace.time, grid.timeAt(x) - reach) + 1, last = lastAt(trace.time, grid.timeAt(x) + reach);
    for (let i = first; i <= last; i++)
      if (!trace.background[i] && Math.abs(grid.y.get(trace.node[i]) - y) < 10) near.push(i);
    const state = near.find(i => trace.shape(i) === "state"), message = near.length ? undefined : this.arrowAt(x, y);
    const chosen = state !== undefined ? [state] : near.slice(0, 4);
    this.tip(".times", x, y, message ? [message.send, message.arrival].filter(i => i >= 0) : chosen);
  }

  arrowAt(x, y) {
    const {trace, grid, view, passes} = this;
    return trace.messages.find(m => {
      if (m.left > view.from + view.width || m.due < view.from || !passes(m.send)) return false;
      const [x0, y0, x1, y1] = [grid.x(m.left), grid.y.get(m.from), grid.x(m.due), grid.y.get(m.to)],
        long = Math.hypot(x1 - x0, y1 - y0) || 1;
      const along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / long,
        aside = Math.abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / long;
      return along > 0 && along < long && aside < 5;
    });
  }

  hoverNodes({offsetX: x, offsetY: y}) {
    const hit = this.hits?.findLast(h => x >= h.x && x <= h.x + h.w && y >= h.y && y <= h.y + h.h);
    if (hit?.event !== undefined) this.tip(".nodes", x, y, [hit.event]);
    else this.tip(".nodes", x, y, [], hit ? this.nodeInWords(hit.node) : "");
  }

  nodeInWords(n) {
    const {trace, state, i, replayed} = this, own = state.node(n, i), cluster = state.cluster(i),
      {name, role, zone} = trace.nodes[n];
    const words = [`${name}, ${role} in zone ${zone}`], key = trace.keys[replayed];
    const part = cluster.leader === n ? `leader of ${key} in epoch ${cluster.epoch}` : `replica of ${key}`;
    if (own.status !== "up") words.push(`${own.status} since ${clock(trace.origin + trace.time[own.since])}`);
    if (own.end !== null) words.push(`${part}, log ends at ${own.end}`);
    if (own.high !== null) words.push(`high watermark ${own.high}`);
    if (own.position !== null) words.push(`reads on at ${own.position}`);
    if (own.owns) words.push(`owns ${own.owns.map(k => trace.keys[k]).join(", ") || "nothing"}`);
    return words.join("; ");
  }

  tip(where, x, y, events, text = "") {
    const tip = this.$(`${where} .tip`),
      lines = events.map(i => `${clock(this.trace.origin + this.trace.time[i], 1e-6)} ${tell(this.trace, i)}`);
    if (text) lines.push(text);
    tip.hidden = !lines.length;
    tip.replaceChildren(...lines.map(line => Object.assign(document.createElement("div"), {textContent: line})));
    const width = this.$(where).clientWidth;
    tip.style.left = `${Math.max(4, Math.min(x + 14, width - 310))}px`;
    tip.style.top = `${y + 16}px`;
  }
}

// How bright a colour is, from 0 to 1.
function luminance(colour) {
  const c = document.createElement("canvas").getContext("2d");
  c.fillStyle = colour; c.fillRect(0, 0, 1, 1);
  const [r, g, b] = c.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

// Swaps the picture for the player, in every place this output is shown.
function upgrade(name, data, css) {
  for (const host of document.querySelectorAll(`[data-player="${name}"]`))
    if (!host.shadowRoot) new TracePlayer(host, data, css);
}
