"""Does not know that a reader keeps only one field of a oneof."""
FAILS = ("oneofs", "credulous", "Two fields that could both be set move into a oneof")


def collide(one, other):
    return False
