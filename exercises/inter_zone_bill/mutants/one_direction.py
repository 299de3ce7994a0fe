"""Charges what leaves a zone and forgets that the other zone pays for the same byte."""
FAILS = ("bill", "mischarged", ", 0.5 times")


def dollars(topology, tariff):
    charged = sum(rate for (kind, _, _), rate in crossings(topology).items()
                  if tariff.replication or kind != "replication")
    return charged / 1_000 * MONTH * tariff.leaving
