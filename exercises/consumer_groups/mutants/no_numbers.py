"""Half a member does not exist."""
FAILS = ("members", "no_size", "two whole numbers")


def size(load):
    return load.rate * load.mean, 500
