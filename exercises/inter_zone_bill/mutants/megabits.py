"""Takes MB/s for Mbit/s."""
FAILS = ("bill", "mischarged", ", 0.125 times")


def dollars(topology, tariff):
    charged = sum(rate for (kind, _, _), rate in crossings(topology).items()
                  if tariff.replication or kind != "replication")
    return charged / 8 / 1_000 * MONTH * (tariff.leaving + tariff.entering)
