"""A month of thirty days: 720 hours, where clouds bill 730."""
FAILS = ("bill", "mischarged", ", 0.986 times")


def dollars(topology, tariff):
    charged = sum(rate for (kind, _, _), rate in crossings(topology).items()
                  if tariff.replication or kind != "replication")
    return charged / 1_000 * 30 * 86_400 * (tariff.leaving + tariff.entering)
