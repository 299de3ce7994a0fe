"""Sets `nearest`, which these consumers cannot do."""
FAILS = ("lead", "touched", "nearest")


def lead_nearer(topology):
    return replace(topology, nearest=True)
