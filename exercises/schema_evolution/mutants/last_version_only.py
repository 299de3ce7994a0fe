"""Compares with the last version, as most pipelines do, and forgets what is still in the log."""
FAILS = ("history", "credulous", "A new field takes the number of one that was deleted two versions ago")


def compatibility(past, new, encoding):
    backward, forward = reads(past[-1], new, encoding), reads(new, past[-1], encoding)
    return {(True, True): "full", (True, False): "backward", (False, True): "forward"}.get((backward, forward), "none")
