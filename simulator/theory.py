"""Closed forms: what mathematics says a model must do, for tests to hold it to and figures to draw beside it.

Every function takes and returns plain numbers: seconds, bytes, records (or requests) a second; a probability, and the
`p` of a quantile, lies between 0 and 1. Rates are called `arrival_rate` (lambda) and `service_rate` (mu, of one
server); their ratio, the `utilization` (rho), must stay below 1 for a queue to have a steady state at all.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb, exp, expm1, inf, isfinite, log, log1p, prod
from numbers import Integral
from statistics import NormalDist

# Queues: how long work waits for a server


def little(arrival_rate: float, time: float) -> float:
    """Mean number in a system whose customers stay `time` seconds on average: L = lambda W (Little 1961)."""
    _not_negative(arrival_rate=arrival_rate, time=time)
    return arrival_rate * time


def utilization(arrival_rate: float, service_rate: float, servers: int = 1) -> float:
    """The share of time a server is busy, rho; refused if it is not below 1."""
    _positive(arrival_rate=arrival_rate, service_rate=service_rate)
    _count(servers=servers)
    rho = arrival_rate / (servers * service_rate)
    if rho >= 1:
        raise ValueError(f"arrival_rate: {arrival_rate:g}/s for {servers} x {service_rate:g}/s is a utilization "
                         f"of {rho:.4g}; a queue settles only below 1")
    return rho


def mm1_sojourn(arrival_rate: float, service_rate: float) -> float:
    """Mean seconds from arrival to departure in M/M/1: 1/(mu - lambda)."""
    utilization(arrival_rate, service_rate)
    return 1 / (service_rate - arrival_rate)


def mm1_wait(arrival_rate: float, service_rate: float) -> float:
    """Mean seconds spent waiting for the server in M/M/1: rho W."""
    return utilization(arrival_rate, service_rate) * mm1_sojourn(arrival_rate, service_rate)


def mm1_number(arrival_rate: float, service_rate: float, n: int) -> float:
    """Probability of finding n customers in M/M/1, the one in service included: (1 - rho) rho^n."""
    _whole(n=n)
    rho = utilization(arrival_rate, service_rate)
    return (1 - rho) * rho ** n


def mm1_sojourn_quantile(arrival_rate: float, service_rate: float, p: float) -> float:
    """The p-quantile of the time in M/M/1, s: exponential, so -ln(1 - p) W."""
    _inside(p=p)
    return -log1p(-p) * mm1_sojourn(arrival_rate, service_rate)


def mm1_wait_quantile(arrival_rate: float, service_rate: float, p: float) -> float:
    """The p-quantile of the wait in M/M/1, s: 0 for the 1 - rho who find the server idle."""
    return mmc_wait_quantile(arrival_rate, service_rate, 1, p)


def mg1_wait(arrival_rate: float, service_rate: float, cv2: float) -> float:
    """Mean wait in M/G/1, s, by Pollaczek and Khinchine; cv2: variance of a service time over its squared mean."""
    _not_negative(cv2=cv2)
    return mm1_wait(arrival_rate, service_rate) * (1 + cv2) / 2


def md1_wait(arrival_rate: float, service_rate: float) -> float:
    """Mean wait in M/D/1, s: constant service times halve the wait of M/M/1."""
    return mg1_wait(arrival_rate, service_rate, cv2=0)


def erlang_c(arrival_rate: float, service_rate: float, servers: int) -> float:
    """Probability of having to wait in M/M/c (Erlang 1917), by the recursion of Erlang B, which cannot overflow."""
    rho = utilization(arrival_rate, service_rate, servers)
    offered, blocking = arrival_rate / service_rate, 1.0
    for k in range(1, servers + 1):
        blocking = offered * blocking / (k + offered * blocking)
    return blocking / (1 - rho * (1 - blocking))


def mmc_wait(arrival_rate: float, service_rate: float, servers: int) -> float:
    """Mean wait in M/M/c, s: C/(c mu - lambda)."""
    return erlang_c(arrival_rate, service_rate, servers) / (servers * service_rate - arrival_rate)


def mmc_wait_tail(arrival_rate: float, service_rate: float, servers: int, t: float) -> float:
    """Probability of waiting longer than t seconds in M/M/c: C exp(-(c mu - lambda) t)."""
    _not_negative(t=t)
    return erlang_c(arrival_rate, service_rate, servers) * exp(-(servers * service_rate - arrival_rate) * t)


def mmc_wait_quantile(arrival_rate: float, service_rate: float, servers: int, p: float) -> float:
    """The p-quantile of the wait in M/M/c, s: 0 for those who find a server idle."""
    _inside(p=p)
    waiting = erlang_c(arrival_rate, service_rate, servers)
    return max(0.0, log(waiting / (1 - p)) / (servers * service_rate - arrival_rate))


def kingman_wait(arrival_rate: float, service_rate: float, arrival_cv2: float, service_cv2: float) -> float:
    """Approximate mean wait in G/G/1, s (Kingman 1961); exact for M/G/1, good near saturation."""
    _not_negative(arrival_cv2=arrival_cv2, service_cv2=service_cv2)
    return mm1_wait(arrival_rate, service_rate) * (arrival_cv2 + service_cv2) / 2


# Replication: waiting for k of n acknowledgements


def exponential_quantile(p: float, mean: float) -> float:
    """The p-quantile of an exponential time, s."""
    _inside(p=p)
    _positive(mean=mean)
    return -mean * log1p(-p)


def lognormal_quantile(p: float, median: float, sigma: float) -> float:
    """The p-quantile of a lognormal time, s; sigma is the standard deviation of its logarithm."""
    _inside(p=p)
    _positive(median=median, sigma=sigma)
    return median * exp(sigma * NormalDist().inv_cdf(p))


def kth_of_n_cdf(one: float, k: int, n: int) -> float:
    """Probability that at least k of n independent answers have come, when each has come with probability `one`."""
    _at_most(n, k=k)
    _probability(one=one)
    return sum(comb(n, j) * one ** j * (1 - one) ** (n - j) for j in range(k, n + 1))


def kth_of_n_level(p: float, k: int, n: int) -> float:
    """Which quantile of a single answer is the p-quantile of the k-th of n: the p-quantile of Beta(k, n - k + 1)."""
    from scipy.special import betaincinv
    _at_most(n, k=k)
    _probability(p=p)
    return float(betaincinv(k, n - k + 1, p))


def kth_of_n_quantile(quantile: Callable[[float], float], p: float, k: int, n: int) -> float:
    """The p-quantile of the wait for k of n answers, s, given the quantile function of a single answer."""
    return quantile(kth_of_n_level(p, k, n))


def kth_of_n_exponential_mean(mean: float, k: int, n: int) -> float:
    """Mean wait for k of n exponential answers, s: mean x (1/n + ... + 1/(n - k + 1))."""
    _positive(mean=mean)
    _at_most(n, k=k)
    return mean * sum(1 / j for j in range(n - k + 1, n + 1))


def paused_share(length: float, gap: float) -> float:
    """The share of time that a process stands still, for `length` seconds every `gap` seconds on average."""
    _positive(length=length, gap=gap)
    return length / (length + gap)


def paused_longer(length: float, gap: float, t: float) -> float:
    """Probability of meeting a process in a pause that lasts more than t seconds yet; pauses are exponential."""
    _not_negative(t=t)
    return paused_share(length, gap) * exp(-t / length)


def paused_wait(length: float, gap: float, k: int, n: int) -> float:
    """Mean seconds by which such pauses of n independent processes delay the k-th of their answers."""
    from scipy.special import betainc
    _at_most(n, k=k)
    share = paused_share(length, gap)
    return length * sum(float(betainc(n - j, j + 1, share)) / (n - j) for j in range(k))


def paused_answer(length: float, gap: float, k: int, n: int, t: float) -> float:
    """Probability that pauses of one process, and then of n others for the k-th of their answers, add at most t."""
    from numpy.polynomial import Polynomial
    _not_negative(t=t)
    share, left = paused_share(length, gap), exp(-t / length)
    late = Polynomial([0.0, share])  # of a process, by what is left of its pauses after t
    others = sum(comb(n, j) * (1 - late) ** j * late ** (n - j) for j in range(k, n + 1))
    always, once, *more = others.coef
    behind = always * (1 - left) + once * t / length * left + sum(
        each * (left - left ** power) / (power - 1) for power, each in enumerate(more, start=2))
    return (1 - share) * others(left) + share * behind


def fresh_read(n: int, write: int, read: int, versions: int = 1) -> float:
    """Probability that asking `read` of n replicas finds one of the last `versions` values, each kept by `write`.

    k-staleness of partial quorums (Bailis et al., PBS, UCB/EECS-2012-4).
    """
    _at_most(n, write=write, read=read)
    _count(versions=versions)
    return 1 - (comb(n - write, read) / comb(n, read)) ** versions


def availability(node: float, k: int, n: int) -> float:
    """Probability that at least k of n nodes are up, each with probability `node`: min_insync=k, replication=n."""
    return kth_of_n_cdf(node, k, n)


# Batching: waiting for company. Arrivals are Poisson; a batch opens with its first record.


def linger_batch(arrival_rate: float, linger: float) -> float:
    """Mean records in a batch sent `linger` seconds after its first record, if size never closes it: 1 + lambda L."""
    return 1 + little(arrival_rate, linger)


def linger_delay(arrival_rate: float, linger: float) -> float:
    """Mean seconds a record waits in such a batch: the first all of `linger`, the others half of it."""
    return linger * (1 + little(arrival_rate, linger) / 2) / linger_batch(arrival_rate, linger)


def linger_requests(arrival_rate: float, linger: float) -> float:
    """Requests a second that such batches make."""
    return arrival_rate / linger_batch(arrival_rate, linger)


def full_batch_delay(arrival_rate: float, batch: int) -> float:
    """Mean seconds a record waits if only a full batch is sent: (B - 1)/(2 lambda)."""
    _positive(arrival_rate=arrival_rate)
    _count(batch=batch)
    return (batch - 1) / (2 * arrival_rate)


def tick_delay(period: float) -> float:
    """Mean seconds a record waits for a clock that ticks every `period` seconds."""
    return tick_delay_quantile(period, 0.5)


def tick_delay_quantile(period: float, p: float) -> float:
    """The p-quantile of that wait, s: it is uniform."""
    _positive(period=period)
    _probability(p=p)
    return p * period


# Lag: work left behind. Rates are of the whole group of consumers.


def lag(arrival_rate: float, service_rate: float, seconds: float, initial: float = 0) -> float:
    """Records waiting after `seconds`, as a fluid: what was there plus (lambda - mu) t, never below 0."""
    _not_negative(arrival_rate=arrival_rate, service_rate=service_rate, seconds=seconds, initial=initial)
    return max(0.0, initial + (arrival_rate - service_rate) * seconds)


def drain_time(arrival_rate: float, service_rate: float, backlog: float) -> float:
    """Seconds to work off `backlog` records while new ones keep coming: backlog/(mu - lambda)."""
    _not_negative(backlog=backlog)
    utilization(arrival_rate, service_rate)
    return backlog / (service_rate - arrival_rate)


def catch_up_time(arrival_rate: float, service_rate: float, outage: float) -> float:
    """Seconds to drain what an outage of `outage` seconds left: T rho/(1 - rho)."""
    return drain_time(arrival_rate, service_rate, little(arrival_rate, outage))


def behind_time(arrival_rate: float, service_rate: float, outage: float) -> float:
    """Seconds from the start of an outage until the consumers are level again: T/(1 - rho)."""
    return outage + catch_up_time(arrival_rate, service_rate, outage)


def time_to_overflow(arrival_rate: float, service_rate: float, retention: float) -> float:
    """Seconds until consumers that are too slow lose records to `retention`; infinite if they keep up.

    The record read after t seconds is t (1 - mu/lambda) old; with service_rate=0, an outage, that is t itself.
    """
    _positive(arrival_rate=arrival_rate, retention=retention)
    _not_negative(service_rate=service_rate)
    return retention / (1 - service_rate / arrival_rate) if service_rate < arrival_rate else inf


# Elections: the first of several random timeouts


def election_timeout(minimum: float, width: float, candidates: int) -> float:
    """Mean seconds until the first of `candidates` timeouts, each uniform in minimum + [0, width] (Raft, 9.3)."""
    _not_negative(minimum=minimum, width=width)
    _count(candidates=candidates)
    return minimum + width / (candidates + 1)


def election_timeout_quantile(minimum: float, width: float, candidates: int, p: float) -> float:
    """The p-quantile of that first timeout, s."""
    _not_negative(minimum=minimum, width=width)
    _count(candidates=candidates)
    _probability(p=p)
    return minimum + width * (1 - (1 - p) ** (1 / candidates))


def no_rival(width: float, candidates: int, within: float) -> float:
    """Probability that nobody else times out `within` seconds of the first, which might split the vote: (1 - d/w)^m."""
    _positive(width=width)
    _not_negative(within=within)
    _count(candidates=candidates)
    return max(0.0, 1 - within / width) ** candidates


# Loss


def exposed_records(arrival_rate: float, window: float) -> float:
    """Mean number of acknowledged records that one failure takes along: lambda x the seconds each of them is in danger.

    acks=1, leader crash: the delay of the best follower. Unclean election: the time since the new leader last fetched.
    """
    return little(arrival_rate, window)


def unsynced_records(arrival_rate: float, interval: float) -> float:
    """Mean number of acknowledged records that power failure of all replicas takes along: lambda T/2, at most lambda T.

    T is the `interval` of fsync, in seconds, and a record is acknowledged before it.
    """
    return little(arrival_rate, interval) / 2


def partition_lost(failed: int, n: int, replicas: int) -> float:
    """Probability that all replicas of a partition are among `failed` of n nodes: C(f, r)/C(n, r)."""
    _at_most(n, replicas=replicas)
    _whole(failed=failed)
    if failed > n:
        raise ValueError(f"failed: {failed} nodes of {n} cannot fail; at most {n} can")
    return comb(failed, replicas) / comb(n, replicas)


def any_partition_lost(failed: int, n: int, replicas: int, partitions: int) -> float:
    """Probability that at least one of `partitions` is lost so (Kleppmann, Data loss in large clusters, 2017)."""
    _count(partitions=partitions)
    return any_of(partition_lost(failed, n, replicas), partitions)


def cluster_loses_data(node_down: float, n: int, replicas: int, partitions: int) -> float:
    """The same if each of n nodes is down with probability `node_down`, independently."""
    _probability(node_down=node_down)
    return sum(comb(n, f) * node_down ** f * (1 - node_down) ** (n - f) * any_partition_lost(f, n, replicas, partitions)
               for f in range(replicas, n + 1))


def any_of(p: float, n: int) -> float:
    """Probability that at least one of n independent events of probability p happens: the tail of a fan-out."""
    _probability(p=p)
    _count(n=n)
    return -expm1(n * log1p(-p)) if p < 1 else 1.0


def birthday(ids: int, bits: int) -> float:
    """Probability that two of `ids` random identifiers of `bits` bits are equal: 1 - exp(-n(n - 1)/2N)."""
    _whole(ids=ids)
    _count(bits=bits)
    return -expm1(-ids * (ids - 1) / 2 / 2 ** bits)


# Patterns


def inconsistent(window: float, between_crashes: float) -> float:
    """Probability that a crash falls into the `window` seconds between two writes; crashes are Poisson."""
    _not_negative(window=window)
    _positive(between_crashes=between_crashes)
    return -expm1(-window / between_crashes)


def saga_compensated(*refusals: float) -> float:
    """Probability that a saga is undone, given that each step is refused with its probability: 1 - prod(1 - p)."""
    _probability(**{f"step {number}": p for number, p in enumerate(refusals, 1)})
    return 1 - prod(1 - p for p in refusals)


def saga_wasted(*refusals: float) -> float:
    """Mean number of steps that a saga does and undoes again: (k - 1) for each saga that fails at step k."""
    _probability(**{f"step {number}": p for number, p in enumerate(refusals, 1)})
    return sum(k * p * prod(1 - q for q in refusals[:k]) for k, p in enumerate(refusals))


def overtaken(arrival_rate: float, window: float) -> float:
    """Probability that another writes in the `window` seconds between read and write; writes are Poisson."""
    return -expm1(-little(arrival_rate, window))


# Cost


def cross_zone_bytes(groups: int, zones: int = 3, replication: int = 3, fetch_from_closest: bool = False) -> float:
    """Bytes that change zone for each byte produced: leaders and clients spread, each replica in a zone of its own.

    Replication crosses replication - 1 times; a producer is outside its leader's zone in (z - 1)/z of cases, and so is
    each group's consumer unless it may read from the closest replica (KIP-392).
    """
    _whole(groups=groups)
    _at_most(zones, replication=replication)
    elsewhere = (zones - 1) / zones
    return replication - 1 + elsewhere + groups * ((zones - replication) / zones if fetch_from_closest else elsewhere)


def put_requests(agents: int, flush_interval: float, seconds: float) -> float:
    """PUT requests that agents make which write one object every `flush_interval` seconds."""
    _count(agents=agents)
    _positive(flush_interval=flush_interval)
    _not_negative(seconds=seconds)
    return agents * seconds / flush_interval


def request_cost(requests: float, price_per_1000: float = 0.005) -> float:
    """What requests cost, $, at S3 Standard's list price of a PUT unless told otherwise."""
    _not_negative(requests=requests, price_per_1000=price_per_1000)
    return requests / 1000 * price_per_1000


# What is allowed


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (value > 0 and isfinite(value)):
            raise ValueError(f"{name}: {value!r} is not a positive number")


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not (value >= 0 and isfinite(value)):
            raise ValueError(f"{name}: {value!r} is not zero or a positive number")


def _whole(**values: int) -> None:
    for name, value in values.items():
        if not isinstance(value, Integral) or value < 0:
            raise ValueError(f"{name}: {value!r} is not a whole number from 0 on")


def _count(**values: int) -> None:
    for name, value in values.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}: {value!r} is not a whole number from 1 on")


def _at_most(n: int, **counts: int) -> None:
    _count(n=n, **counts)
    for name, value in counts.items():
        if value > n:
            raise ValueError(f"{name}: {value} of {n} is more than there are; at most {n} is allowed")


def _probability(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {value!r} is not a probability from 0 to 1")


def _inside(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < 1:
            raise ValueError(f"{name}: {value!r} is not a probability between 0 and 1, both excluded")
