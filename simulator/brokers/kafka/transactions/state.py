"""One transactional id as its coordinator sees it: a state, and the rules that lead from one to the next.

    Empty → Ongoing → PrepareCommit → CompleteCommit → Ongoing → …
                    ↘ PrepareAbort  → CompleteAbort  ↗

Every rule is a pure function: the present state and a request in, an error or the next state out. Sources: KIP-98 (the
protocol), KIP-360 and KIP-588 (a producer that comes back), KIP-890 (version 2: a new producer epoch after every
transaction).
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_ID_MAPPING, INVALID_TXN_STATE, PRODUCER_FENCED

EMPTY, ONGOING = "Empty", "Ongoing"
PREPARE_COMMIT, PREPARE_ABORT = "PrepareCommit", "PrepareAbort"
COMPLETE_COMMIT, COMPLETE_ABORT = "CompleteCommit", "CompleteAbort"
PREPARED = (PREPARE_COMMIT, PREPARE_ABORT)


class Transaction(NamedTuple):
    """The coordinator's record of a transactional id; `last_epoch`: an older one that may come back (KIP-588)."""
    transactional_id: str
    producer_id: int
    producer_epoch: int
    state: str = EMPTY
    partitions: tuple[int, ...] = ()
    began: float = 0.0
    timeout: float = 60.0
    last_epoch: int = -1

    @property
    def commits(self) -> bool:
        """Whether it was decided to commit."""
        return self.state in (PREPARE_COMMIT, COMPLETE_COMMIT)


Step = tuple[str, Transaction | None]  # an error ("" if there is none), and the next state (None if nothing changes)


def init_producer_id(now: Transaction, known: tuple[int, int] | None) -> Step:
    """A producer instance announces itself: a new epoch, once the transaction left open by an earlier one is aborted.

    `known` is the producer id and epoch that an instance comes back with after an error; it is fenced if somebody else
    has come meanwhile.
    """
    if known is not None and known not in ((now.producer_id, now.producer_epoch), (now.producer_id, now.last_epoch)):
        return PRODUCER_FENCED, None
    if now.state in PREPARED:
        return CONCURRENT_TRANSACTIONS, None
    if now.state == ONGOING:
        return CONCURRENT_TRANSACTIONS, fence(now, -1 if known is None else known[1])
    return "", now._replace(state=EMPTY, producer_epoch=now.producer_epoch + 1, last_epoch=-1)


def fence(now: Transaction, last_epoch: int) -> Transaction:
    """The open transaction is aborted from outside: under a new epoch, so that its producer cannot go on with it."""
    return now._replace(state=PREPARE_ABORT, producer_epoch=now.producer_epoch + 1, last_epoch=last_epoch)


def add_partitions(now: Transaction, producer: tuple[int, int], partitions: tuple[int, ...], time: float) -> Step:
    """Partitions become part of the transaction; the first of them begins it."""
    error = _stranger(now, producer) or (CONCURRENT_TRANSACTIONS if now.state in PREPARED else "")
    if error:
        return error, None
    if now.state == ONGOING:
        union = tuple(sorted({*now.partitions, *partitions}))
        return "", None if union == now.partitions else now._replace(partitions=union)
    return "", now._replace(state=ONGOING, partitions=tuple(sorted(partitions)), began=time)


def verify(now: Transaction, producer: tuple[int, int], partitions: tuple[int, ...]) -> Step:
    """Whether partitions are in the open transaction: a leader asks before the first record (KIP-890, part 1)."""
    error = _stranger(now, producer) or (CONCURRENT_TRANSACTIONS if now.state in PREPARED else "")
    inside = now.state == ONGOING and set(partitions) <= set(now.partitions)
    return error or ("" if inside else INVALID_TXN_STATE), None


def end_transaction(now: Transaction, producer: tuple[int, int], commit: bool, version: int) -> Step:
    """EndTxn. Version 1 tells a repeated request by the state it finds, version 2 by the epoch it was sent under.

    Under version 2 an abort is taken also where nothing was begun: the producer cannot know, and gets a new epoch.
    """
    repeated = version == 2 and producer == (now.producer_id, now.producer_epoch - 1)
    error = "" if repeated else _stranger(now, producer)
    if error:
        return error, None
    abort_of_nothing = version == 2 and not commit and now.state not in PREPARED
    if not repeated and (now.state == ONGOING or abort_of_nothing):
        state = PREPARE_COMMIT if commit else PREPARE_ABORT
        return "", now._replace(state=state, producer_epoch=now.producer_epoch + (version == 2), last_epoch=-1)
    if now.state in (ONGOING, EMPTY) or version == 2 and not repeated:
        return PRODUCER_FENCED if repeated else INVALID_TXN_STATE, None
    if now.commits != commit:
        return INVALID_TXN_STATE, None
    return CONCURRENT_TRANSACTIONS if now.state in PREPARED else "", None


def complete(now: Transaction) -> Transaction:
    """All markers are written."""
    return now._replace(state=COMPLETE_COMMIT if now.commits else COMPLETE_ABORT, partitions=())


def _stranger(now: Transaction, producer: tuple[int, int]) -> str:
    if producer[0] != now.producer_id:
        return INVALID_PRODUCER_ID_MAPPING
    return "" if producer[1] == now.producer_epoch else PRODUCER_FENCED
