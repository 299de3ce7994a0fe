"""Sized for the steady rate: the backlog of the outage shrinks only by what is rounded up."""
import math

FAILS = ("members", "late", "of a partition's backlog is left")


def size(load):
    return max(1, math.ceil(load.rate * load.mean)), max(1, min(500, int(load.max_poll_interval / load.slowest)))
