"""Confuses who reads whom."""
FAILS = ("history", "credulous", "A field is required from now on")


def compatibility(past, new, encoding):
    backward = all(reads(new, old, encoding) for old in past)
    forward = all(reads(old, new, encoding) for old in past)
    return {(True, True): "full", (True, False): "backward", (False, True): "forward"}.get((backward, forward), "none")
