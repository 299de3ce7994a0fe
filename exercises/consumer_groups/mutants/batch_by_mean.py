"""The batch fits on average; when everything is slow, the whole group is put out."""
FAILS = ("batch", "expelled", "members were put out")


def size(load):
    return load.partitions, max(1, min(500, int(load.max_poll_interval / load.mean)))
