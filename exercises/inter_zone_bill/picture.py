"""Who stands where, and what changes zone, as said and as metered; what a repair leaves; how a zone is lost."""
from exercises.attack import memory

from . import count, laid
from .count import KINDS
from .tariffs import TARIFFS
from .topology import Topology

LEADER, FOLLOWER, NOBODY = ("#0072B2", "white"), ("#BFE0F5", "black"), ("white", "#555555")
SAID, METERED = "#E69F00", "#333333"
LOOKS = {"produce": ("#E69F00", ""), "replication": ("#0072B2", ""), "consume": ("white", "///")}


def answered(function, *asked):
    """What a function returns, called as a check would; None for a stub."""
    try:
        return memory.restarted({"it": function})["it"](*asked)
    except NotImplementedError:
        print(f"{function.__name__}: not attempted yet, nothing to draw")
        return None


def bills(topology: Topology, dollars) -> None:
    """Prints the month under each tariff."""
    for tariff in TARIFFS:
        month = answered(dollars, topology, tariff)
        if month is None:
            return
        print(f"{tariff.name:<8} {month:>10,.2f} dollars a month")


def ways(topology: Topology, crossings):
    """What a function says of a topology beside the meters of a simulated second; in words too. None for a stub."""
    said, metered = answered(crossings, topology), laid.metered(topology).kinds
    if said is None:
        return None
    rows = sorted(metered.keys() | said.keys(), reverse=True)
    wrong = [way for way in rows[::-1] if abs(said.get(way, 0) - metered.get(way, 0)) > 0.1]
    finding = (f"{crossings.__name__} says that {sum(said.values()):.0f} MB/s change zone; by the meters it is"
               f" {sum(metered.values()):.0f}")
    print(finding + "".join(f"\n  {kind} from {source} to {target}: {said.get((kind, source, target), 0):.1f}, metered"
                            f" {metered.get((kind, source, target), 0):.1f}" for kind, source, target in wrong))
    return drawn(topology, rows, said, metered, finding)


def drawn(topology: Topology, rows: list, said: dict, metered: dict, finding: str):
    """The figure: left, partitions by zones; right, a pair of bars for each way."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    height = max(2.6, .9 + .7 * len(topology.partitions), 1 + .32 * len(rows))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, height), layout="constrained", width_ratios=(3, 2))
    zones = sorted({*topology.brokers.values(), *(each.zone for each in (*topology.producers, *topology.consumers))})
    for y, name in enumerate(topology.partitions):
        for x, zone in enumerate(zones):
            (colour, ink), words = cell(topology, name, zone)
            left.add_patch(plt.Rectangle((x - .48, y - .44), .96, .88, facecolor=colour, edgecolor="#999999"))
            left.text(x, y, words, ha="center", va="center", color=ink, fontsize=8)
    left.set(xlim=(-.6, len(zones) - .4), ylim=(len(topology.partitions) - .4, -.6), xticks=range(len(zones)),
             xticklabels=[f"zone {zone}" for zone in zones], yticks=range(len(topology.partitions)),
             yticklabels=list(topology.partitions))
    left.xaxis.tick_top()
    right.barh([y + .19 for y in range(len(rows))], [said.get(way, 0) for way in rows], .36, color=SAID, label="said")
    right.barh([y - .19 for y in range(len(rows))], [metered.get(way, 0) for way in rows], .36, color="white",
               edgecolor=METERED, hatch="///", label="metered")
    right.set(yticks=range(len(rows)), yticklabels=[f"{kind}, {source} to {target}" for kind, source, target in rows],
              xlabel="MB/s between zones")
    right.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return finished(figure, (left, right), finding)


def finished(figure, both, finding: str):
    """The figure without frames, its finding above."""
    import matplotlib.pyplot as plt

    for axes in both:
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=8)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure


def cell(topology: Topology, name: str, zone: str) -> tuple[tuple[str, str], str]:
    """What a partition has in a zone: its colours, and the words in it."""
    leader = topology.partitions[name][0]
    there = [broker for broker in topology.partitions[name] if topology.brokers[broker] == zone]
    words = [f"{broker} leads" if broker == leader else broker for broker in there]
    words += [f"{each.name} writes {each.writes[name]:g}" for each in topology.producers
              if each.zone == zone and name in each.writes]
    readers = [each.name for each in topology.consumers if each.zone == zone and name in each.reads]
    words += [f"{len(readers)} consumers read" if len(readers) > 1 else f"{readers[0]} reads"] if readers else []
    return LEADER if leader in there else FOLLOWER if there else NOBODY, "\n".join(words)


def halves(topology: Topology, repair):
    """What crosses before and after a repair, by the meters, and the least of all; in words too. None for a stub."""
    after = answered(repair, topology)
    if after is None:
        return None
    runs = [laid.metered(each).kinds for each in (topology, after)]
    before, left = (sum(run.values()) for run in runs)
    finding = (f"{repair.__name__} leaves {left / before:.0%} of {before:.0f} MB/s; the least that must cross is"
               f" {count.least(topology):.0f}")
    sums = [{kind: sum(rate for way, rate in run.items() if way[0] == kind) for kind in KINDS} for run in runs]
    print(finding + "".join(f"\n  {kind}: {sums[0][kind]:.0f}, then {sums[1][kind]:.0f}" for kind in KINDS))
    return stacked(sums, before, count.least(topology), finding)


def stacked(sums: list[dict], before: float, least: float, finding: str):
    """The figure: a bar before and one after, by kinds; dashed the half, dotted the least."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 2.1), layout="constrained")
    for y, kinds in enumerate(sums):
        start = 0.0
        for kind, (colour, hatch) in LOOKS.items():
            axes.barh(y, kinds[kind], .6, left=start, color=colour, hatch=hatch, edgecolor="#333333",
                      label=None if y else kind)
            start += kinds[kind]
    axes.axvline(before / 2, color="black", linestyle="--", label="half")
    axes.axvline(least, color="black", linestyle=":", label="least")
    axes.set(yticks=(0, 1), yticklabels=("before", "after"), ylim=(1.5, -.5), xlabel="MB/s between zones")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, .5))
    return finished(figure, (axes,), finding)


def lost(topology: Topology, repair, zone: str):
    """A film: a repaired topology loses a zone, seen at a partition that suffers or was led there. None for a stub."""
    after = answered(repair, topology)
    if after is None:
        return None
    led = [name for name, (leader, *_) in after.partitions.items() if after.brokers[leader] == zone]
    name = next(iter([*laid.without(after, zone).refused, *led, *after.partitions]))
    seen = after.only(name)
    refused = laid.without(seen, zone).refused.get(name, 0)
    who = ", ".join(f"broker-{number} is {each}" for number, each in enumerate(seen.brokers, start=1))
    finding = f"{name} without zone {zone}: {refused or 'no'} records are refused"
    print(f"{finding}. In the film {who}.")
    from simulator.views.player import player  # here, because a graded run needs no picture

    run = laid.losing(seen, zone, trace=True)
    return player(run.trace, title=finding, subtitle=f"In the film {who}.", window=(0.4, 4.0), seed=run.seed,
                  verdicts=[(not refused, f"{refused or 'no'} records refused")])
