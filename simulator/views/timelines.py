"""Nodes over time and in space: who led and was in sync, messages between nodes, and where the nodes stand."""

from __future__ import annotations

from collections import Counter

import numpy as np

from simulator.evidence.trace import Trace

from . import reading, style
from .curves import fault_marks, trace_faults
from .picture import Picture, empty, picture, sentence, words

ORDER = ("producer", "broker", "controller", "consumer")


def isr_gantt(trace: Trace, *, keys=None, seed=None, title: str | None = None, most: int = 8) -> Picture:
    """Who led each partition (thick) and which replicas were in sync (thin), over time, with faults marked."""
    known = [key for key in (trace.keys if keys is None else keys) if reading.in_sync(trace, key)]
    if not known:
        return empty(title or "No partition has a leader", "The trace tells of no leader and no replica.", seed)
    shown, end = known[:most], reading.end_of(trace)
    finding, told = _leaderless(trace, known)
    left_out = f" {len(known) - most} more partitions are not drawn." if len(known) > most else ""
    rows = [(key, node) for key in shown for node in reading.in_sync(trace, key)]
    told = f"Thick: leader; thin: in sync; nothing: out of sync. {told}{left_out}"
    figure, (axis,) = picture(title or finding, sentence(told, seed), left=1.55,
                              height=0.5 + 0.24 * len(rows) + 0.1 * len(shown))
    places = _rows(rows)
    for (key, node), y in places.items():
        axis.broken_barh([(a, b - a) for a, b in reading.in_sync(trace, key)[node]], (y - 0.1, 0.2),
                         color=style.LIGHT["broker"], alpha=0.45)
        axis.broken_barh([(a, b - a) for leader, a, b in reading.leaderships(trace, key) if leader == node],
                         (y - 0.34, 0.68), color=style.LIGHT["leader"], hatch="//", edgecolor="white", linewidth=0)
    for node, start, stop, _ in reading.downtimes(trace):
        for (key, replica), y in places.items():
            if replica == node:
                axis.broken_barh([(start, stop - start)], (y - 0.45, 0.9), color=style.LIGHT["lost"], alpha=0.16)
    axis.set_ylim(max(places.values()) + 0.6, min(places.values()) - 1.2)
    axis.set_yticks(list(places.values()), [f"{key}  {trace.nodes[node].name}" for key, node in places])
    axis.set_xlim(0, end or 1)
    axis.grid(axis="y", visible=False)
    words(axis, "simulated time (s)")
    fault_marks(axis, trace_faults(trace))
    return figure


def _rows(rows) -> dict[tuple[str, int], float]:
    """A height for each replica, with a little air between partitions."""
    keys = list(dict.fromkeys(key for key, _ in rows))
    return {(key, node): number + 0.4 * keys.index(key) for number, (key, node) in enumerate(rows)}


def _leaderless(trace: Trace, keys) -> tuple[str, str]:
    """The longest time a partition had no leader, as a finding and as a sentence."""
    spans = {key: reading.leaderships(trace, key) for key in keys}
    gaps = [(b[1] - a[2], a[2], key) for key, led in spans.items() for a, b in zip(led, led[1:]) if b[1] > a[2]]
    gaps += [(reading.end_of(trace) - led[-1][2], led[-1][2], key) for key, led in spans.items()
             if led and led[-1][2] < reading.end_of(trace)]
    changes = sum(max(0, len(led) - 1) for led in spans.values())
    if not gaps:
        return "Every partition had a leader all the time", f"{style.plural(changes, 'change')} of leader."
    length, start, key = max(gaps)
    finding = f"{key} had no leader for {style.seconds(length)}"
    among = f"{style.plural(changes, 'change')} of leader in {style.plural(len(keys), 'partition')}"
    return finding, f"{finding} from {style.instant(start)}; {among}."


def space_time(trace: Trace, start: float | None = None, end: float | None = None, *, key: str | None = None,
               nodes=None, seed=None, title: str | None = None, most: int = 1500) -> Picture:
    """Messages in a stretch of time: each node a line, each message an arrow, a lost one ending in a cross."""
    if not len(trace):
        return empty(title or "Nothing happened", "The trace holds no event.", seed)
    start = float(trace.events.rows["time"][0]) if start is None else start
    end = reading.end_of(trace) if end is None else end
    end = max(end, start + 1e-9)
    found = _window(trace, start, end, key)
    lanes = lanes_of(trace, nodes)
    finding, told = _losses(trace, found, start, end)
    cut = f" Only the first {most:,} messages are drawn." if len(found) > most else ""
    figure, (axis,) = picture(title or finding, sentence(told + cut, seed), height=0.35 + 0.42 * len(lanes), left=1.15)
    for node, first, last, name in reading.downtimes(trace):
        if node in lanes and first < end and last > start:
            axis.broken_barh([(max(first, start), min(last, end) - max(first, start))], (lanes[node] - 0.28, 0.56),
                             color=style.LIGHT["lost"], alpha=0.15, hatch="//" if name == "pause" else None)
    _draw_messages(axis, trace, found.where(np.arange(len(found)) < most), lanes, end)
    _draw_marks(axis, trace, lanes, start, end)
    axis.set_ylim(max(lanes.values()) + 0.6, -0.7)
    axis.set_yticks(list(lanes.values()), [trace.nodes[node].name for node in lanes])
    axis.tick_params(axis="y", labelcolor=style.LIGHT["ink"], labelsize=style.LABEL)
    axis.set_xlim(start, end)
    axis.ticklabel_format(axis="x", useOffset=False)
    words(axis, "simulated time (s)")
    return figure


def lanes_of(trace: Trace, nodes=None) -> dict[int, int]:
    """Node -> line, producers on top, then brokers, controllers and consumers."""
    rank = lambda node: (ORDER.index(style.role(trace.nodes[node].role)), node)
    chosen = [node for node, info in enumerate(trace.nodes) if nodes is None or info.name in nodes]
    return {node: lane for lane, node in enumerate(sorted(chosen, key=rank))}


def _window(trace: Trace, start: float, end: float, key: str | None) -> reading.Messages:
    """The messages under way in a stretch of time, of one key (and of none in particular) if one is named."""
    found, rows = reading.messages(trace), trace.events.rows
    arrives = np.where(found.arrival >= 0, rows["time"][found.arrival], np.inf)
    chosen = (rows["time"][found.send] <= end) & (arrives >= start)
    if key is not None:
        chosen &= np.isin(rows["key"][found.send], [-1, trace.keys.code(key) if key in trace.keys else -2])
    return found.where(chosen)


def _losses(trace: Trace, found, start, end) -> tuple[str, str]:
    down = [f"{trace.nodes[node].name} {'paused' if name == 'pause' else 'down'} from {style.instant(first)}"
            for node, first, last, name in reading.downtimes(trace) if first < end and last > start]
    lost = int(found.lost.sum())
    all_of = style.plural(len(found), "message")
    finding = f"{lost:,} of {all_of} lost" if lost else f"All of {all_of} arrived"
    finding = "No message was under way" if not len(found) else finding
    kinds = Counter(trace.kinds[code].name for code in trace.events.rows["kind"][found.send])
    told = ", ".join(f"{count:,} {name}" for name, count in kinds.most_common(5))
    where = f" Between {style.instant(start)} and {style.instant(end)}" + (f": {told}." if told else ".")
    caption = "Dashed: replies; ✗: lost; shaded: down." + where + "".join(f" {text}." for text in down)
    return "; ".join([finding, *down[:2]]), caption


def _draw_messages(axis, trace: Trace, found, lanes, end) -> None:
    from matplotlib.collections import LineCollection
    rows, groups = trace.events.rows, {}
    for send, arrival, lost in zip(found.send, found.arrival, found.lost):
        source, target = int(rows["node"][send]), int(rows["peer"][send])
        if source in lanes and target in lanes:
            hue = style.conversation(trace.nodes[source].role, trace.nodes[target].role)
            line = "--" if style.is_reply(trace.kinds[rows["kind"][send]].name) else "-"
            arrives = float(rows["time"][arrival]) if arrival >= 0 else end
            path = (float(rows["time"][send]), lanes[source], arrives, lanes[target], bool(lost))
            groups.setdefault((hue, line), []).append(path)
    for (hue, line), drawn in groups.items():
        points, lost = np.array(drawn)[:, :4], np.array(drawn)[:, 4] > 0
        axis.add_collection(
            LineCollection(points.reshape(-1, 2, 2), colors=style.LIGHT[hue], linestyles=line, linewidths=1.1))
        down = points[:, 3] > points[:, 1]
        for pointing, marker in ((down & ~lost, "v"), (~down & ~lost, "^")):
            axis.plot(points[pointing, 2], points[pointing, 3], marker, color=style.LIGHT[hue], markersize=4.5,
                      linestyle="none")
        axis.plot(points[lost, 2], points[lost, 3], "X", color=style.LIGHT["lost"], markersize=7, linestyle="none",
                  zorder=5)


def _draw_marks(axis, trace: Trace, lanes, start, end) -> None:
    by_name = {info.name: node for node, info in enumerate(trace.nodes)}
    for count, (time, kind, node) in enumerate(
            m for m in reading.marks(trace) if start <= m[0] <= end and by_name[m[2]] in lanes):
        look = style.mark(kind)
        axis.plot(time, lanes[by_name[node]], look.marker, color=style.LIGHT[look.hue], markersize=9,
                  markeredgecolor="white", zorder=6)
        if count < 12:
            axis.annotate(kind.replace("_", " "), (time, lanes[by_name[node]]), xytext=(7, 6),
                          textcoords="offset points", fontsize=style.SMALL, color=style.LIGHT[look.hue],
                          fontweight="bold", zorder=7)


def topology(trace: Trace, *, seed=None, title: str | None = None) -> Picture:
    """Where the nodes stand and who talked to whom: a thicker line is more messages, a dotted one crosses zones."""
    if not trace.nodes:
        return empty(title or "No node", "The trace knows no node.", seed)
    graph = talk(trace)
    finding, told = _crossing(trace, graph)
    tallest = max(Counter(_column(trace)).values())
    figure, (axis,) = picture(title or finding, sentence(told, seed), height=0.75 * tallest + 1.1, left=0.25)
    axis.set_axis_off()
    places = positions(trace)
    _draw_zones(axis, trace, places)
    busiest = max((count for *_, count in graph.edges.data("messages")), default=1)
    for one, other, count in graph.edges.data("messages"):
        hue = style.conversation(trace.nodes[one].role, trace.nodes[other].role)
        crosses = trace.nodes[one].zone != trace.nodes[other].zone
        axis.annotate(
            "", places[other], places[one], arrowprops={
                "arrowstyle": "-", "connectionstyle": f"arc3,rad={_bend(places[one], places[other])}",
                "color": style.LIGHT[hue], "linestyle": ":" if crosses else "-",
                "linewidth": 0.8 + 2.4 * count / busiest, "shrinkA": 17, "shrinkB": 17})
    for node, place in places.items():
        hue = style.LIGHT[style.role(trace.nodes[node].role)]
        axis.text(*place, trace.nodes[node].name, ha="center", va="center", fontsize=style.LABEL, fontweight="bold",
                  color=style.LIGHT["ink"], zorder=4,
                  bbox={"boxstyle": "round,pad=0.55", "facecolor": "white", "edgecolor": hue, "linewidth": 1.8})
    xs, ys = np.array(list(places.values())).T
    axis.set_xlim(xs.min() - 0.6, xs.max() + 0.6)
    axis.set_ylim(ys.min() - 0.75, ys.max() + 0.95)
    return figure


def _bend(one, other) -> float:
    """Lines between neighbours run straight, longer ones arc over what stands between."""
    apart = abs(one[0] - other[0])
    return 0 if one[1] != other[1] or apart < 2 else 0.22 if one[0] > other[0] else -0.22


def talk(trace: Trace):
    """The network as a graph: `messages` and `lost` on each edge."""
    import networkx as nx
    graph, rows, found = nx.Graph(), trace.events.rows, reading.messages(trace)
    graph.add_nodes_from(range(len(trace.nodes)))
    ends = np.sort(np.stack([rows["node"][found.send], rows["peer"][found.send]]), axis=0)
    pairs, which = np.unique(ends, axis=1, return_inverse=True)
    lost = np.bincount(which.ravel(), weights=found.lost, minlength=pairs.shape[1])
    for (one, other), count, gone in zip(pairs.T.tolist(), np.bincount(which.ravel()), lost):
        if one >= 0:
            graph.add_edge(one, other, messages=int(count), lost=int(gone))
    return graph


def positions(trace: Trace) -> dict[int, tuple[float, float]]:
    """Producers left, consumers right, servers between them by zone, one below the other with the controllers last."""
    columns = _column(trace)
    present = sorted(set(columns))
    rank = lambda node: (style.role(trace.nodes[node].role), node)
    stacks = {column: sorted((n for n, c in enumerate(columns) if c == column), key=rank) for column in present}
    return {node: (present.index(column) * 1.3, -place)
            for column, stack in stacks.items() for place, node in enumerate(stack)}


def _column(trace: Trace) -> list[int]:
    zones = sorted({info.zone for info in trace.nodes})
    sides = {"producer": 0, "consumer": len(zones) + 1}
    return [sides.get(style.role(info.role), 1 + zones.index(info.zone)) for info in trace.nodes]


def _draw_zones(axis, trace: Trace, places) -> None:
    from matplotlib.patches import FancyBboxPatch
    servers = [node for node, info in enumerate(trace.nodes) if style.role(info.role) in ("broker", "controller")]
    for zone in sorted({trace.nodes[node].zone for node in servers}):
        xs, ys = np.array([places[node] for node in servers if trace.nodes[node].zone == zone]).T
        corner, wide, high = (xs.min() - 0.42, ys.min() - 0.5), np.ptp(xs) + 0.84, np.ptp(ys) + 0.9
        axis.add_patch(FancyBboxPatch(corner, wide, high, boxstyle="round,pad=0.04", facecolor="#F3F5F8",
                                      edgecolor=style.LIGHT["rule"], linestyle="--", zorder=0))
        axis.text(xs.mean(), ys.min() - 0.47, f"zone {zone}", ha="center", va="bottom", fontsize=style.SMALL,
                  color=style.LIGHT["muted"])


def _crossing(trace: Trace, graph) -> tuple[str, str]:
    edges = list(graph.edges.data("messages"))
    total, lost = sum(count for *_, count in edges), sum(count for *_, count in graph.edges.data("lost"))
    crossing = sum(count for one, other, count in edges if trace.nodes[one].zone != trace.nodes[other].zone)
    if not total:
        return "No message was sent", f"{style.plural(len(trace.nodes), 'node')}, no message."
    one, other, most = max(edges, key=lambda edge: edge[2])
    finding = f"{crossing / total:.0%} of {style.plural(total, 'message')} cross zones"
    return finding, (
        f"{finding} (dotted lines); {style.number(lost)} were lost. Most, {style.number(most)}, went between "
        f"{trace.nodes[one].name} and {trace.nodes[other].name}. A thicker line is more messages.")
