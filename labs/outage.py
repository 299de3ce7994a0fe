"""How long a replicated stream is without a leader: measured in a history, and predicted without a single server.

The prediction follows nats-server's own Raft (github.com/nats-io/nats-server, server/raft.go, 2.15):

- every message from the leader, at the latest a heartbeat each second, sets a follower's election timer to a new value,
  uniform between 4 and 9 s;
- when the leader dies nothing resets the timers any more, and the first to ring asks the other for its vote (there is
  no pre-vote);
- if the other rings before the request arrives, each has voted for itself and both timers start again.

Left out: logs that differ (the follower with the older log is refused, and the other calls its own election 0.1 to 0.8
s later), a follower that is still applying what was committed (it waits another second), and the time a client needs to
connect elsewhere. Each makes the real outage longer, none shorter.
"""

from __future__ import annotations

import numpy as np

from simulator.evidence.history import History

ELECTION_TIMEOUT = (4.0, 9.0)
HEARTBEAT = 1.0


def failover_times(trials: int = 10_000, *, seed: int = 0, followers: int = 2, silence: float = 0.0,
                   vote: float = 0.005, retry: float = 0.1,
                   timeout: tuple[float, float] = ELECTION_TIMEOUT) -> np.ndarray:
    """Seconds from the leader's death to the next acknowledgement, one per trial.

    `followers` still run; `silence` is the longest time between two messages of the leader (0 under steady traffic,
    HEARTBEAT on an idle stream); `vote` is how long a request for votes takes; a client tries again every `retry`
    seconds.
    """
    low, high = _timeout(timeout)
    random = np.random.default_rng(seed)
    rings, rivals = _first_two(random, trials, followers, low, high)
    waited = rings - random.uniform(0, silence, trials)  # the timers were set when the leader was last heard
    split = rivals - rings < vote
    while split.any():
        rings, rivals = _first_two(random, split.sum(), followers, low, high)
        waited[split] += rings
        split[split] = rivals - rings < vote
    return waited + vote + random.uniform(0, retry, trials)


def _first_two(random, trials, followers, low, high):
    """When the first timer rings, and when the second (never, if there is only one)."""
    timers = np.sort(random.uniform(low, high, (trials, followers)), axis=1)
    return timers[:, 0], timers[:, 1] if followers > 1 else np.full(trials, np.inf)


def _timeout(timeout: tuple[float, float]) -> tuple[float, float]:
    low, high = timeout
    if not 0 <= low <= high:
        raise ValueError(f"timeout: {timeout!r} is not a range (shortest, longest) in seconds")
    return low, high


def outage_after(history: History, fault: float, within: float = 1.0) -> tuple[float, float]:
    """When acknowledgements stopped and resumed: the longest gap that began at most `within` s after the fault."""
    acks = np.sort(history.acknowledged()["completed"])
    before, after = acks[:-1], acks[1:]
    near = (after > fault) & (before < fault + within)
    if not near.any():
        raise ValueError(f"fault: {fault:.1f} s does not lie between two acknowledgements, so the outage has no end")
    longest = np.argmax(np.where(near, after - before, 0))
    return float(before[longest]), float(after[longest])


def pauses(history: History, faults: list[tuple[float, str, str]], what: str) -> list[float]:
    """Seconds without acknowledgements after each fault of one kind ("killed", "asked to stop")."""
    return [end - begin for begin, end in (outage_after(history, when) for when, kind, _ in faults if kind == what)]
