"""Forgets that a partition has one owner: the load is split as if it were water."""
import math

FAILS = ("members", "late", "of a partition's backlog is left")


def size(load):
    members = math.ceil(load.mean * load.rate * (1 + load.outage / (load.within - 5)))
    return members, max(1, min(500, int(load.max_poll_interval / load.slowest)))
