"""Nobody is hurt if nothing changes."""
FAILS = ("repair", "loses", "has no field for it")


def repair(past, new):
    return past[-1]
