"""Who reads which partitions: the simple assignor of Kafka 4.2. It shares one only if members outnumber partitions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import ceil


def share_out(owned: Mapping[Hashable, tuple[int, ...]], partitions: int) -> dict[Hashable, tuple[int, ...]]:
    """Equal shares, keeping what members have: each partition goes to members / partitions of them, rounded up."""
    if not owned:
        return {}
    readers = ceil(len(owned) / partitions)                      # of a partition
    each = readers * partitions / len(owned)                     # partitions of a member, on average
    room = {member: ceil(each * (nth + 1)) - ceil(each * nth) for nth, member in enumerate(owned)}
    count, kept = [0] * partitions, {member: [] for member in owned}
    for member, keys in owned.items():
        for key in keys:
            if len(kept[member]) < room[member] and count[key] < readers:
                kept[member].append(key)
                count[key] += 1
    for member, keys in kept.items():
        free = sorted((key for key in range(partitions) if key not in keys), key=lambda key: count[key])
        for key in free[:room[member] - len(keys)]:
            keys.append(key)
            count[key] += 1
    return {member: tuple(sorted(keys)) for member, keys in kept.items()}
