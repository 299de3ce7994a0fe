"""Sees that two fields share a oneof of the reader's, and not that they share one of the writer's too."""
FAILS = ("oneofs", "overcautious", "Two fields that could both be set move into a oneof")


def collide(one, other):
    return one[0].oneof == other[0].oneof != ""
