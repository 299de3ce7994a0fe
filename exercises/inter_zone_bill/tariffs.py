"""What a gigabyte between zones costs, and in which direction: the clouds do not agree.

The prices of AWS are those of the course's price book, with their sources. What others do differently:

    MSK     Amazon does not charge replication between its own brokers: https://aws.amazon.com/jp/msk/pricing (2026)
    Google  what arrives is free, what leaves is charged: https://cloud.google.com/vpc/pricing (2026); the cent is a
            secondary source's: https://cloudwebschool.com/docs/gcp/cost-management/network-egress-costs/
    Azure   announced at the end of May 2024 that it charges nothing, not confirmed on an invoice:
            https://blog.vjirovsky.cz/azure-may-2024-cost-storage
"""
from dataclasses import asdict, dataclass

from simulator.evidence.bill import MONTH, bill, price_book

BOOK = price_book()
GB = 1e9  # bytes


@dataclass(frozen=True)
class Tariff:
    """Dollars for each GB that leaves a zone for another, and for each that enters one; are replicas' bytes charged?"""
    name: str
    leaving: float
    entering: float
    replication: bool = True

    def month(self, rates: dict[tuple[str, str, str], float]) -> float:
        """The judge's bill for a month of these MB/s between zones, made by the course's own `bill`."""
        charged = sum(rate for (kind, _, _), rate in rates.items() if self.replication or kind != "replication")
        book = BOOK.with_prices(zone_out=self.leaving, zone_in=self.entering)
        crossed = charged * 1e6 * MONTH
        return bill({"bytes out of zones": crossed, "bytes into zones": crossed}, book).total

    def plain(self) -> dict:
        return asdict(self)


AWS = Tariff("AWS", BOOK["zone-out"].value, BOOK["zone-in"].value)
MSK = Tariff("MSK", AWS.leaving, AWS.entering, replication=False)
GOOGLE = Tariff("Google", 0.01, 0.0)
AZURE = Tariff("Azure", 0.0, 0.0)
TARIFFS = (AWS, MSK, GOOGLE, AZURE)
