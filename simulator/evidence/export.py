"""Evidence for other tools: JSON lines to keep and read back, a DataFrame, and a trace that Perfetto opens.

JSON lines are one object a line: a header with the names, then one line an operation or event. Perfetto
(ui.perfetto.dev) reads the Chrome trace event format: nodes are threads, messages are arrows between them, state
changes are marks.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from math import inf

import numpy as np

from .history import MARKS, TYPES, History
from .report import plural
from .trace import Trace

MOST_EVENTS = 200_000  # what a browser still opens in a few seconds
COLUMNS = ("cause", "offset", "count", "epoch", "value")


def history_to_jsonl(history: History) -> str:
    """The history with its marks as JSON lines; after the header a line an operation, in order of invocation."""
    lines = [(event["index"], event) for event in history.events()]
    lines += [(event["index"], event) for event in (*_marks(history), *_transactions(history))]
    header = {"history": 1, "keys": list(history.keys), "processes": list(history.processes),
              "drained": history.drained}
    return _lines([header, *(event for _, event in sorted(lines, key=lambda line: line[0]))])


def _marks(history: History) -> Iterator[dict]:
    """One event an assignment, subscription, crash or rebalance."""
    groups = defaultdict(list)
    for row in history.marks.rows:
        groups[int(row["op"]), int(row["process"]), int(row["mark"]), float(row["time"])].append(row["key"])
    for (op, process, mark, time), keys in groups.items():
        yield {"index": op, "process": history.processes[process], "f": MARKS[mark], "time": time,
               "value": [history.keys[key] for key in keys if key >= 0]}


def _transactions(history: History) -> Iterator[dict]:
    """One event a transaction: what became of it, and when its commit was asked for (null if never)."""
    for op, process, type, began, asked, completed, _ in history.transactions.rows.tolist():
        yield {"index": op, "process": history.processes[process], "f": "txn", "type": TYPES[type], "invoked": began,
               "asked": asked if asked < inf else None, "time": completed}


def history_from_jsonl(text: str) -> History:
    """The history that `history_to_jsonl` wrote."""
    header, *events = map(json.loads, text.splitlines())
    if "history" not in header:
        raise ValueError(f"text: its first line has no 'history', only {', '.join(header)}")
    history = History()
    history.drained = header["drained"]
    for name in header["keys"]:
        history.keys.code(name)
    for name in header["processes"]:
        history.processes.code(name)
    for event in events:
        _read_event(history, event)
    return history


def _read_event(history: History, event: dict) -> None:
    op, process = event["index"], history.processes.code(event["process"])
    history._ops = max(history._ops, op + 1)
    if event.get("f") == "txn":
        asked = inf if event["asked"] is None else event["asked"]
        history.transactions.append(op, process, TYPES.index(event["type"]), event["invoked"], asked, event["time"], -1)
        return
    if "f" in event:
        for key in [history.keys.code(key) for key in event["value"]] or [-1]:
            history.marks.append(op, process, key, MARKS.index(event["f"]), event["time"])
        return
    for f, key, value, count, offset in event["value"]:
        row = (op, process, history.keys.code(key), value, count, offset, TYPES.index(event["type"]))
        if f == "send":
            history.sent(*row, 0, event["invoked"], event["time"])
        else:
            history.polled(*row, event["invoked"], event["time"])


def trace_to_jsonl(trace: Trace) -> str:
    """The trace as JSON lines: after the header with kinds, nodes and keys a line an event."""
    header = {"trace": 1, "kinds": [[kind.name, kind.shape, kind.sentence] for kind in trace.kinds],
              "nodes": [[node.name, node.role, node.zone] for node in trace.nodes], "keys": list(trace.keys)}
    return _lines([header, *_events(trace)])


def _events(trace: Trace) -> Iterator[dict]:
    names = [node.name for node in trace.nodes] + [""]
    kinds, keys = [kind.name for kind in trace.kinds], [*trace.keys, ""]
    for event, (time, kind, node, peer, key, *rest) in enumerate(trace.events.rows.tolist()):
        yield {"id": event, "time": time, "kind": kinds[kind], "node": names[node], "peer": names[peer],
               "key": keys[key], **dict(zip(COLUMNS, rest)), "note": trace.notes.get(event, "")}


def trace_from_jsonl(text: str) -> Trace:
    """The trace that `trace_to_jsonl` wrote; its digest is the same."""
    header, *events = map(json.loads, text.splitlines())
    if "trace" not in header:
        raise ValueError(f"text: its first line has no 'trace', only {', '.join(header)}")
    trace = Trace()
    kinds = {kind[0]: trace.kind(*kind) for kind in header["kinds"]}
    nodes = {node[0]: trace.node(*node) for node in header["nodes"]} | {"": -1}
    keys = {key: trace.keys.code(key) for key in header["keys"]} | {"": -1}
    for event in events:
        trace.add(event["time"], kinds[event["kind"]], nodes[event["node"]], nodes[event["peer"]], keys[event["key"]],
                  *(event[column] for column in COLUMNS), event["note"])
    return trace


def trace_to_pandas(trace: Trace):
    """The trace as a DataFrame, a row an event, with names instead of codes."""
    import pandas as pd
    columns = ["id", "time", "kind", "node", "peer", "key", *COLUMNS, "note"]
    return pd.DataFrame(list(_events(trace)), columns=columns).set_index("id")


def to_perfetto(trace: Trace, limit: int = MOST_EVENTS) -> str:
    """The trace as Chrome trace JSON: state changes and the earliest `limit` events, and a mark if that is not all."""
    shape = np.array([kind.shape for kind in trace.kinds] or [""])[trace.events.rows["kind"]]
    shown = np.flatnonzero((shape == "state") | (np.arange(len(trace)) < limit))
    hidden = len(trace) - len(shown)
    notice = f"{plural(hidden, 'event')} left out: after the first {limit:,} only state changes are here" * bool(hidden)
    events = [{"ph": "M", "name": "thread_name", "pid": 1, "tid": code + 1,
               "args": {"name": f"{node.name} ({node.role})"}} for code, node in enumerate(trace.nodes)]
    events += [entry for event in shown.tolist() for entry in _chrome(trace, event, str(shape[event]))]
    if notice:
        events.append({"ph": "i", "s": "g", "name": notice, "pid": 1, "tid": 1, "ts": 0})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms",
                       "otherData": {"notice": notice, "digest": trace.digest()}})


def _chrome(trace: Trace, event: int, shape: str) -> list[dict]:
    """One event as Chrome knows it: a mark, or a sliver of a microsecond that an arrow may leave or reach."""
    row = trace.events.rows[event]
    place = {"pid": 1, "tid": int(row["node"]) + 1, "ts": float(row["time"]) * 1e6}
    told = {"name": trace.kinds[row["kind"]].name, "args": {"event": event, "what": trace.describe(event)}}
    if shape == "state":
        return [{"ph": "i", "s": "t", **told, **place}]
    entries = [{"ph": "X", "dur": 1, **told, **place}]
    if shape == "send":
        entries.append({"ph": "s", "id": event, "cat": "message", "name": "message", **place})
    elif shape in ("receive", "drop") and row["cause"] >= 0:
        entries.append({"ph": "f", "bp": "e", "id": int(row["cause"]), "cat": "message", "name": "message", **place})
    return entries


def _lines(objects) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in objects)
