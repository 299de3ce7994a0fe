"""Who should own what: pure functions from members, partitions and present owners to an assignment.

A member is anything hashable; members are served in the order given.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

Assignment = dict[Hashable, tuple[int, ...]]


def ranges(members: Sequence[Hashable], partitions: int) -> Assignment:
    """Neighbouring partitions to each member, as RangeAssignor does; who owned what before plays no part."""
    share, extra = divmod(partitions, len(members))
    starts = [number * share + min(number, extra) for number in range(len(members) + 1)]
    return {member: tuple(range(starts[number], starts[number + 1])) for number, member in enumerate(members)}


def sticky(owned: dict[Hashable, Iterable[int]], partitions: int) -> Assignment:
    """Equal shares, and of all such assignments one that moves the fewest partitions."""
    share, extra = divmod(partitions, len(owned))
    kept: dict[Hashable, list[int]] = {}
    free = dict.fromkeys(range(partitions))
    # who has most keeps one more than the share
    for member in sorted(owned, key=lambda member: -len(tuple(owned[member]))):
        mine = [key for key in owned[member] if key in free]
        size = share + (len(mine) > share and extra > 0)
        extra -= size > share
        kept[member] = mine[:size]
        for key in kept[member]:
            del free[key]
    rest = iter(free)
    for member in owned:
        size = share
        if len(kept[member]) <= share and extra > 0:
            size, extra = share + 1, extra - 1
        kept[member] += [key for _, key in zip(range(size - len(kept[member])), rest)]
    return {member: tuple(kept[member]) for member in owned}


def without_moving(target: Assignment, owned: dict[Hashable, Iterable[int]]) -> Assignment:
    """The target without what somebody else still owns: given up first, it is handed out in round two (KIP-429)."""
    owner = {key: member for member, keys in owned.items() for key in keys}
    return {member: tuple(key for key in keys if owner.get(key, member) == member) for member, keys in target.items()}
