"""Answers with a truth where a word was asked for."""
FAILS = ("history", "no_verdict", "not one of full, backward, forward, none")


def compatibility(past, new, encoding):
    return all(reads(old, new, encoding) for old in past)
