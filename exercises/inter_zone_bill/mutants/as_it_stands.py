"""Counts the present topology with fetch from follower: nobody moved a replica or a leader."""
FAILS = ("least", "wasteful", "88 MB/s is not the least")


def least(topology):
    return sum(crossings(replace(topology, nearest=True)).values())
