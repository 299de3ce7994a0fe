"""Takes for granted that producers can be aligned: one leader, but producers in several zones."""
FAILS = ("least", "impossible", "62 MB/s is out")


def least(topology):
    written = sum(sum(producer.writes.values()) for producer in topology.producers)
    return 2 * written
