"""Sets `nearest` and leaves it at that: who has no replica nearby goes on reading from the leader."""
FAILS = ("read", "too_dear", "MB/s still cross")


def read_nearer(topology):
    return replace(topology, nearest=True)
