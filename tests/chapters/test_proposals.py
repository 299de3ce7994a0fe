"""Every proposal that the Kafka chapters and labs name is in their table, once and in order."""
import re
from pathlib import Path

from scenes.proposals import ALL, proposals

ROOT = Path(__file__).parents[2]
NAMED = [*ROOT.glob("chapters/02*.md"), *ROOT.glob("chapters/facts/02*.toml"), *ROOT.glob("labs/kafka-*.md")]
RELEASES = "0.10.1 0.11 2.0 2.1 2.3 2.4 2.5 2.7 3.0 3.3 3.5 3.6 3.9 4.0 4.2 4.3 4.4 none".split()


def test_every_proposal_that_is_named_is_in_the_table():
    named = {int(number) for path in NAMED for number in re.findall(r"KIP-(\d+)", path.read_text())}
    assert named <= {proposal.kip for proposal in ALL} <= named | {1150}, "1150 is chapter 05's"


def test_the_table_is_in_order_and_each_has_a_release():
    numbers = [proposal.kip for proposal in ALL]
    assert numbers == sorted(set(numbers)) and all(proposal.since in RELEASES for proposal in ALL)
    assert len(proposals().data) == len(ALL)
