"""Divides by 1,024, so that a GB is more than a GB."""
FAILS = ("bill", "mischarged", ", 0.977 times")


def dollars(topology, tariff):
    charged = sum(rate for (kind, _, _), rate in crossings(topology).items()
                  if tariff.replication or kind != "replication")
    return charged / 1_024 * MONTH * (tariff.leaving + tariff.entering)
