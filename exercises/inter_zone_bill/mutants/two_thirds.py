"""The rule of thumb: two copies, and two thirds of what is written, as if leaders were spread evenly."""
FAILS = ("least", "wasteful", "82.6667 MB/s")


def least(topology):
    written = sum(sum(producer.writes.values()) for producer in topology.producers)
    return (2 + 2 / 3) * written
