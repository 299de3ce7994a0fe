// What every drawing is made of: sharp canvases, boxes, words that fit, marks, ticks.

const TAU = 2 * Math.PI;

// A canvas of this size in CSS pixels, sharp on any screen; its context, cleared.
function sized(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1, w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    Object.assign(canvas, {width: w, height: h});
    canvas.style.height = `${height}px`;
  }
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

function write(c, text, x, y, {size = 12, bold = false, colour, align = "left", most = Infinity, halo, font}) {
  const wide = words => { c.font = `${bold ? "600 " : ""}${size}px ${font}`; return c.measureText(words).width; };
  while (wide(text) > most && size > 10) size -= 0.5;
  if (wide(text) > most) {
    while (text.length > 1 && wide(`${text}…`) > most) text = text.slice(0, -1);
    text += "…";
  }
  c.textAlign = align; c.textBaseline = "middle"; c.fillStyle = colour;
  if (halo) { c.strokeStyle = halo; c.lineWidth = 4; c.lineJoin = "round"; c.strokeText(text, x, y); }
  c.fillText(text, x, y);
  return wide(text);
}

// A line through points, [x, y] each.
function path(c, points, {stroke, line = 1, dash = []}) {
  c.strokeStyle = stroke; c.lineWidth = line; c.setLineDash(dash); c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  c.stroke(); c.setLineDash([]);
}

function disc(c, x, y, r, {fill, stroke, line = 2}) {
  c.beginPath(); c.arc(x, y, r, 0, TAU);
  if (fill) { c.fillStyle = fill; c.fill(); }
  if (stroke) { c.strokeStyle = stroke; c.lineWidth = line; c.stroke(); }
}

// A mark of a change of state: its shape says what it is, its hue only helps.
function glyph(c, shape, x, y, r, colour) {
  c.fillStyle = c.strokeStyle = colour; c.lineWidth = r * 0.55; c.lineCap = "round"; c.beginPath();
  if (shape === "cross") {
    c.moveTo(x - r, y - r); c.lineTo(x + r, y + r);
    c.moveTo(x + r, y - r); c.lineTo(x - r, y + r);
    c.stroke();
  } else if (shape === "bars") {
    c.rect(x - r, y - r, r * 0.7, 2 * r); c.rect(x + r * 0.3, y - r, r * 0.7, 2 * r);
    c.fill();
  }
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
