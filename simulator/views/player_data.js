// What happened, decoded: columns, messages with both ends, the state of every node after any event, sentences.

const ARRAYS = {i1: Int8Array, i2: Int16Array, i4: Int32Array, f8: Float64Array};  // little-endian, like every browser
const ROWS_KEPT = 16;  // batches remembered below the end of a log

function decode(data) {
  const column = ([type, text]) => new ARRAYS[type](Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
  const columns = Object.entries(data.columns).map(([name, packed]) => [name, column(packed)]);
  const trace = {...data, ...Object.fromEntries(columns)};
  trace.end = trace.size ? trace.time[trace.size - 1] : 0;
  trace.nodes = data.nodes.map(([name, role, zone, hue]) => ({name, role, zone, hue}));
  trace.kinds = data.kinds.map(([name, shape, sentence, reply, hue, mark]) =>
    ({name, shape, sentence, reply, hue, mark}));
  trace.shape = i => trace.kinds[trace.kind[i]].shape;
  trace.name = i => trace.kinds[trace.kind[i]].name;
  trace.shown = Array.from({length: trace.size}, (_, i) => i).filter(i => !trace.background[i]);
  trace.states = trace.shown.filter(i => trace.shape(i) === "state");
  trace.placed = placesOf(trace);
  trace.messages = messagesOf(trace);
  trace.flight = trace.messages.map(m => m.due - m.left).sort((a, b) => a - b)[trace.messages.length >> 1] ?? 0;
  trace.down = downtimesOf(trace);
  return trace;
}

// The index of the last element not above x in a sorted array, -1 if there is none.
function lastAt(sorted, x) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function batchOf(trace, i) { return `${trace.key[i]} ${trace.value[i]}`; }

// Key and first value of each appended batch -> the offset it was given.
function placesOf(trace) {
  const places = new Map();
  for (let i = 0; i < trace.size; i++)
    if (trace.name(i) === "append" && !places.has(batchOf(trace, i))) places.set(batchOf(trace, i), trace.offset[i]);
  return places;
}

function messagesOf(trace) {
  const arrival = new Map(), messages = [];
  for (let i = 0; i < trace.size; i++)
    if (trace.cause[i] && ["receive", "drop"].includes(trace.shape(i))) arrival.set(i - trace.cause[i], i);
  for (const i of trace.shown)
    if (trace.shape(i) === "send" && trace.peer[i] >= 0) {
      const arrives = arrival.get(i) ?? -1;
      messages.push({send: i, arrival: arrives, from: trace.node[i], to: trace.peer[i], left: trace.time[i],
        due: arrives < 0 ? trace.end : trace.time[arrives], lost: arrives >= 0 && trace.shape(arrives) === "drop",
        reply: trace.kinds[trace.kind[i]].reply,
        hue: conversation(trace.nodes[trace.node[i]], trace.nodes[trace.peer[i]])});
    }
  return messages;
}

// A message looks like a controller's, else a client's, else replication.
function conversation(one, other) {
  return ["controller", "producer", "consumer"].find(hue => one.hue === hue || other.hue === hue) ?? "broker";
}

const OWNS = {assigned: true, revoked: false, left_behind: false};  // whether a member of a group owns the key after it
const STOPS = {crash: "crashed", power_loss: "lost power", pause: "paused"}, STARTS = ["restart", "resume"];

function downtimesOf(trace) {
  const open = new Map(), spans = [];
  for (let i = 0; i < trace.size; i++) {
    const name = trace.name(i), node = trace.node[i];
    if (name in STOPS && !open.has(node)) open.set(node, {node, from: trace.time[i], to: trace.end, kind: name});
    else if (STARTS.includes(name) && open.has(node)) {
      spans.push({...open.get(node), to: trace.time[i]});
      open.delete(node);
    }
  }
  return spans.concat([...open.values()]);
}

// An event in words, from the sentence its model gave it.
function tell(trace, i) {
  const name = code => code >= 0 ? trace.nodes[code].name : "";
  const offset = trace.offset[i], count = trace.count[i], one = count === 1;
  const fields = {node: name(trace.node[i]), peer: name(trace.peer[i]), key: trace.keys[trace.key[i]] ?? "", offset, count,
    last: offset + count - 1, epoch: trace.epoch[i], value: trace.value[i], note: trace.notes[i] ?? "",
    records: recordsIn(count),
    offsets: one ? `offset ${offset}` : `offsets ${range(offset, offset + count)}`};
  return trace.kinds[trace.kind[i]].sentence.replace(/\{(\w+)[^}]*\}/g, (_, field) => fields[field] ?? "");
}

function recordsIn(count) { return count === 1 ? "1 record" : `${count.toLocaleString("en")} records`; }

// A range as a reader writes it: `41` or `41–43`.
function range(from, to) { return to - 1 > from ? `${from}–${to - 1}` : `${from}`; }

// The records of an event by their offsets, even before they have any; `#` and their numbers if they never get one.
function recordsOf(trace, i) {
  if (trace.count[i] <= 0) return "";
  const first = trace.offset[i] >= 0 ? trace.offset[i] : trace.placed.get(batchOf(trace, i)) ?? -1;
  if (first >= 0) return range(first, first + trace.count[i]);
  const value = trace.value[i];
  if (value < 0) return trace.kinds[trace.kind[i]].sentence.includes("{records}") ? recordsIn(trace.count[i]) : "";
  return `#${range(value, value + trace.count[i])}`;
}

// The state of every node after any event, as far as one key is concerned: lists of changes, searched by event.
function replay(trace, key) {
  const fresh = {status: "up", since: -1, last: -1, end: null, log: [], high: null, acknowledged: null, retries: 0,
    position: null, owns: null};
  const nodes = trace.nodes.map(() => ({at: [-1], state: [fresh]}));
  const cluster = {at: [-1], state: [{leader: -1, epoch: -1, inSync: null}]};
  const put = (list, i, change) => { list.at.push(i); list.state.push({...list.state.at(-1), ...change}); };
  const now = node => nodes[node].state.at(-1);
  let owning = false;
  for (let i = 0; i < trace.size; i++) {
    const name = trace.name(i), node = trace.node[i], mine = trace.key[i] === key;
    if (name in OWNS && node >= 0) {
      const others = (now(node).owns ?? []).filter(k => k !== trace.key[i]);
      put(nodes[node], i, {owns: OWNS[name] ? [...others, trace.key[i]].sort((a, b) => a - b) : others});
      owning = true;
    }
    if (node < 0 || (!mine && trace.key[i] >= 0)) continue;
    const offset = trace.offset[i], end = offset + trace.count[i];
    const concerned = name === "fenced" && trace.peer[i] >= 0 ? trace.peer[i] : node;
    if (trace.shape(i) === "state" && name !== "isr") put(nodes[concerned], i, {last: i});
    if (name in STOPS) put(nodes[node], i, {status: STOPS[name], since: i});
    if (name === "crash" || name === "power_loss") put(nodes[node], i, {owns: now(node).owns && []});
    if (STARTS.includes(name)) put(nodes[node], i, {status: "up", since: i});
    if (!mine) continue;
    if (name === "append" || name === "replicate") {
      const batch = {from: offset, to: end, epoch: trace.epoch[i], value: trace.value[i]};
      put(nodes[node], i, {end, log: [...cut(now(node).log, offset), batch].slice(-ROWS_KEPT)});
      if (name === "append" && cluster.state.length === 1) put(cluster, i, {leader: node, epoch: trace.epoch[i]});
    } else if (name === "truncate") put(nodes[node], i, {end: offset, log: cut(now(node).log, offset)});
    else if (name === "high_watermark") put(nodes[node], i, {high: offset});
    else if (name === "acknowledged" && trace.offset[i] >= 0) put(nodes[node], i, {acknowledged: end - 1});
    else if (name === "retry") put(nodes[node], i, {retries: now(node).retries + 1});
    else if (name === "deliver" && trace.offset[i] >= 0) put(nodes[node], i, {position: end});
    else if (name === "elected") put(cluster, i, {leader: node, epoch: trace.epoch[i]});
    else if (name === "offline") put(cluster, i, {leader: -1});
    else if (name === "isr") put(cluster, i, {inSync: trace.value[i]});
  }
  const at = (list, i) => list.state[lastAt(list.at, i)];
  const batches = trace.shown.filter(i => trace.key[i] === key && ["append", "replicate"].includes(trace.name(i)));
  return {node: (n, i) => at(nodes[n], i), cluster: i => at(cluster, i), owning,
    hasLog: n => nodes[n].state.some(state => state.end !== null),
    single: batches.every(i => trace.count[i] <= 5)};
}

function cut(log, offset) {
  return log.filter(batch => batch.from < offset).map(batch => batch.to > offset ? {...batch, to: offset} : batch);
}

// In sync or not; null while nobody has said.
function inSync(cluster, node) {
  return cluster.inSync === null ? null : Math.floor(cluster.inSync / 2 ** node) % 2 === 1;
}

// The offsets a reader sees as rows: the last `rows` records, or batches where records are too many; [from, to) each.
function logRows(play, nodes, i, rows) {
  const states = nodes.map(n => play.node(n, i)).filter(state => state.end !== null);
  const end = Math.max(...states.map(state => state.end));
  if (!states.length || end <= 0) return [];
  if (play.single) return Array.from({length: rows}, (_, r) => end - rows + r).filter(o => o >= 0).map(o => [o, o + 1]);
  const edges = new Set([end]);
  for (const state of states) for (const batch of state.log) { edges.add(batch.from); edges.add(batch.to); }
  const sorted = [...edges].sort((a, b) => a - b).slice(-rows - 1);
  return sorted.slice(0, -1).map((from, r) => [from, sorted[r + 1]]);
}

const MOVES = ["append", "replicate", "acknowledged", "deliver", "truncate", "timeout", "retry", "deduplicated"];

// Which events a filter lets through: those of a node, of a key (and of none), about one record.
function filterOf(trace, {node, key, record, recordKey}) {
  const values = new Set(), moves = new Set(MOVES);
  const covers = (first, i, x) => first >= 0 && first <= x && x < first + trace.count[i];
  const carries = i => moves.has(trace.name(i)) || ["send", "receive", "drop"].includes(trace.shape(i));
  if (record !== null)
    for (let i = 0; i < trace.size; i++)
      if (trace.name(i) === "append" && trace.key[i] === recordKey && covers(trace.offset[i], i, record))
        values.add(trace.value[i] + record - trace.offset[i]);
  const about = i => {
    if (trace.shape(i) === "state" && (trace.key[i] < 0 || trace.key[i] === recordKey)) return true;
    // an arrival is about what was sent
    const from = trace.cause[i] && ["receive", "drop"].includes(trace.shape(i)) ? i - trace.cause[i] : i;
    if (trace.key[from] !== recordKey || !carries(i)) return false;
    const byOffset = !values.size || (trace.offset[from] >= 0 && trace.name(i) !== "truncate");
    if (byOffset) return covers(trace.offset[from], from, record);
    return [...values].some(value => covers(trace.value[from], from, value));
  };
  return i => (node < 0 || trace.node[i] === node || trace.peer[i] === node)
    && (key < 0 || trace.key[i] === key || trace.key[i] < 0) && (record === null || about(i));
}
