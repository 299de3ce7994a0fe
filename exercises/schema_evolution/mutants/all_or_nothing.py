"""Compatible or not: knows no direction."""
FAILS = ("history", "overcautious", "A field is required from now on")


def compatibility(past, new, encoding):
    both = all(reads(old, new, encoding) and reads(new, old, encoding) for old in past)
    return "full" if both else "none"
