"""Doubles the price of leaving, as if every cloud charged both directions alike."""
FAILS = ("bill", "mischarged", ", 2 times")


def dollars(topology, tariff):
    charged = sum(rate for (kind, _, _), rate in crossings(topology).items()
                  if tariff.replication or kind != "replication")
    return charged / 1_000 * MONTH * 2 * tariff.leaving
