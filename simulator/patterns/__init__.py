"""Patterns between a service, its database and a broker, as small systems that the checks of a log can judge.

    from simulator.patterns import DualWrite, EventStore, Outbox, Projection, Saga, crashes

Each module says what it models and what it leaves out. All of them write the log's `History`: an order stored is a
send, the topic (or the read model, or what services hold at the end) is what the final reader finds.
"""

from .crashes import crashes
from .dual_write import DualWrite
from .event_store import EventStore
from .outbox import Outbox
from .projection import Projection
from .saga import Saga

__all__ = ["DualWrite", "EventStore", "Outbox", "Projection", "Saga", "crashes"]
