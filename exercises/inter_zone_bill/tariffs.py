"""What a gigabyte between zones costs, and in which direction: the clouds do not agree.

The prices of AWS and of MSK are those of the course's price books, with their sources. Two more, for comparison:

    Google  what arrives is free, what leaves is charged: https://cloud.google.com/vpc/pricing (2026); the cent is a
            secondary source's: https://cloudwebschool.com/docs/gcp/cost-management/network-egress-costs/
    Azure   announced at the end of May 2024 that it charges nothing, not confirmed on an invoice:
            https://blog.vjirovsky.cz/azure-may-2024-cost-storage
"""
from dataclasses import dataclass

from simulator.evidence.bill import MONTH, bill, price_book

OWN, RENTED = price_book("self-managed"), price_book("msk")  # one charges all bytes between zones, one those of clients


@dataclass(frozen=True)
class Tariff:
    """Dollars for each GB that leaves a zone for another, and for each that enters one; are replicas' bytes charged?"""
    name: str
    leaving: float
    entering: float
    replication: bool = True

    def month(self, rates: dict[tuple[str, str, str], float]) -> float:
        """The judge's bill for a month of these MB/s between zones, made by the course's own `bill`."""
        book = OWN if self.replication else RENTED
        clients = sum(rate for (kind, _, _), rate in rates.items() if kind != "replication")
        used = {f"{whose}bytes {way} zones": rate * 1e6 * MONTH
                for whose, rate in (("", sum(rates.values())), ("client ", clients)) for way in ("out of", "into")}
        book = book.only("zone-out", "zone-in").with_prices(zone_out=self.leaving, zone_in=self.entering)
        return bill(used, book).total


AWS = Tariff("AWS", OWN["zone-out"].value, OWN["zone-in"].value)
MSK = Tariff("MSK", RENTED["zone-out"].value, RENTED["zone-in"].value, replication=False)
GOOGLE = Tariff("Google", 0.01, 0.0)
AZURE = Tariff("Azure", 0.0, 0.0)
TARIFFS = (AWS, MSK, GOOGLE, AZURE)
