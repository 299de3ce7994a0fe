"""Everything in one zone, so that nothing crosses: until that zone is gone."""
FAILS = ("least", "impossible", "0 MB/s is out of reach")


def least(topology):
    return 0
