"""Charges replication where the provider does not."""
FAILS = ("bill", "mischarged", "replication not charged")


def dollars(topology, tariff):
    return sum(crossings(topology).values()) / 1_000 * MONTH * (tariff.leaving + tariff.entering)
