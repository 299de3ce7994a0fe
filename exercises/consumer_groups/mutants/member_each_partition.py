"""One member a partition is surely enough, and mostly far too much."""
FAILS = ("members", "spendthrift", "would do it in time too")


def size(load):
    return load.partitions, max(1, min(500, int(load.max_poll_interval / load.slowest)))
