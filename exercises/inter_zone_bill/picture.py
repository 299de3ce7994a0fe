"""A picture of a topology: who stands in which zone, and beside it what changes zone, as said and as metered."""
from exercises.attack import memory

from . import laid
from .topology import Topology

LEADER, FOLLOWER, NOBODY = ("#0072B2", "white"), ("#BFE0F5", "black"), ("white", "#555555")
SAID, METERED = "#E69F00", "#333333"


def ways(topology: Topology, crossings):
    """What a function says of a topology beside the meters of a simulated second; printed in words too. None for a stub."""
    try:
        said = memory.restarted({"it": crossings})["it"](topology)
    except NotImplementedError:
        print(f"{crossings.__name__}: not attempted yet, nothing to draw")
        return None
    metered = laid.metered(topology).kinds
    rows = sorted(metered.keys() | said.keys(), reverse=True)
    finding = (f"{crossings.__name__} says that {sum(said.values()):.0f} MB/s change zone; by the meters it is"
               f" {sum(metered.values()):.0f}")
    print(finding + "".join(f"\n  {kind} from {source} to {target}: {said.get((kind, source, target), 0):.1f}, metered"
                            f" {metered.get((kind, source, target), 0):.1f}" for kind, source, target in rows[::-1]))
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
    for y, way in enumerate(rows):
        right.barh(y + .19, said.get(way, 0), .36, color=SAID, label="said" if y == 0 else None)
        right.barh(y - .19, metered.get(way, 0), .36, color="white", edgecolor=METERED, hatch="///",
                   label="metered" if y == 0 else None)
    right.set(yticks=range(len(rows)), yticklabels=[f"{kind}, {source} to {target}" for kind, source, target in rows],
              xlabel="MB/s between zones")
    right.legend(fontsize=8, frameon=False, loc="lower right")
    for axes in (left, right):
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=8)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure


def cell(topology: Topology, name: str, zone: str) -> tuple[tuple[str, str], str]:
    """What a partition has in a zone: its colours, and the words in it."""
    there = [broker for broker in topology.partitions[name] if topology.brokers[broker] == zone]
    leads = topology.brokers[topology.partitions[name][0]] == zone
    words = [f"{broker} leads" if leads and broker == topology.partitions[name][0] else broker for broker in there]
    writers = [f"{each.name} writes {each.writes[name]:g}" for each in topology.producers
               if each.zone == zone and name in each.writes]
    readers = [each.name for each in topology.consumers if each.zone == zone and name in each.reads]
    if len(readers) > 2:
        readers = [f"{len(readers)} consumers"]
    words += writers + [f"{' and '.join(readers)} read{'s' if len(readers) == 1 and '-' in readers[0] else ''}"] * bool(readers)
    return LEADER if leads else FOLLOWER if there else NOBODY, "\n".join(words)
