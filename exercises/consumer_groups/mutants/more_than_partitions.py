"""Twice as many members as partitions: half of them own nothing."""
FAILS = ("members", "spendthrift", "own nothing")


def size(load):
    return 2 * load.partitions, max(1, min(500, int(load.max_poll_interval / load.slowest)))
