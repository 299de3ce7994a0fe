"""The object store: published percentiles, waits for a connection, request rates, compare-and-set, and losses."""
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import simulator.kernel.objectstore as module
from simulator import distributions, faults, theory
from simulator.kernel.network import Rule
from simulator.kernel.objectstore import ObjectStore, StoreClient, StoreProfile, profile
from simulator.kernel.world import World

PROFILES = tomllib.loads(Path(module.__file__).with_name("objectstores.toml").read_text())


class Place:
    """A store and clients, and what each client was told, with the time."""

    def __init__(self, store_profile: StoreProfile, clients: int = 1, seed: int = 7, **settings):
        self.world = World(seed)
        self.store = ObjectStore(self.world, store_profile)
        self.clients = [StoreClient(self.world.node(f"client-{i + 1}", "broker"), self.store, **settings)
                        for i in range(clients)]
        self.told: list[list] = [[] for _ in self.clients]

    def hear(self, client: int = 0):
        return lambda answer: self.told[client].append((self.world.now, answer))

    def at(self, time, call, *args, **settings):
        self.world.after(time - self.world.now, lambda: call(*args, **settings))

    def run(self, until: float = 1e6):
        self.world.env.run(until=until)
        return self

    @property
    def statuses(self):
        return [[answer.status for _, answer in told] for told in self.told]


def fixed(**limits) -> StoreProfile:
    """One second for everything."""
    return StoreProfile(1.0, 1.0, 1.0, 1.0, 1.0, **limits)


# Against what is published

def measured(name: str, kind: str, size: int = 0, n: int = 20_000) -> np.ndarray:
    """The latencies of requests that do not meet."""
    place = Place(profile(name))
    times = []

    def send(i):
        began = place.world.now

        def done(answer):
            times.append(place.world.now - began)
            if i + 1 < n:
                send(i + 1)
        if kind == "get":
            place.clients[0].get("p/k", done)
        elif kind == "put":
            place.clients[0].put("p/k", size, done)
        else:
            place.clients[0].put_if("p/k", size, done, absent=True)
    place.store.objects["p/k"] = module.StoredObject(1, size, None)
    send(0)
    place.run(until=1e9)
    return np.array(times)


# source: reference percentiles in seconds, by (profile, request class, bytes): p50, p99 and, where published, p99.9
PUBLISHED = {
    ("s3-standard", "get", 0): (0.0268, 0.113),
    ("s3-standard", "put", 500 * 1024): (0.0698, 0.137),
    ("s3-standard", "conditional_put", 0): (0.061, 0.061 * np.exp(2.3263 * 0.14)),
    ("s3-express", "get", 0): (0.0025, 0.0025 * np.exp(2.3263 * 0.57)),
    ("s3-express", "put", 0): (0.0065, 0.0065 * np.exp(2.3263 * 0.24)),
    ("s3-standard-fleet", "get", 0): (0.063, 0.078, 0.118),
    ("s3-standard-fleet", "put", 0): (0.100, 0.195, 0.274),
}


@pytest.mark.parametrize("name, kind, size", PUBLISHED)
def test_latencies_are_those_published_within_15_percent(name, kind, size):
    seconds = measured(name, kind, size)
    for p, published in zip((0.5, 0.99, 0.999), PUBLISHED[name, kind, size]):
        assert np.quantile(seconds, p) == pytest.approx(published, rel=0.15)


def test_one_lognormal_cannot_have_the_far_tail_and_two_can():
    p50, p99, p999 = PUBLISHED["s3-standard-fleet", "get", 0]
    assert distributions.Lognormal.from_percentiles(p50, p99).quantile(0.999) < 0.85 * p999
    assert profile("s3-standard-fleet").get.quantile(0.999) == pytest.approx(p999, rel=0.15)


def test_a_mixture_is_drawn_as_its_quantiles_say():
    mixture = distributions.Mixture(distributions.Fixed(1.0), distributions.Exponential(10.0), 0.2)
    drawn = mixture.draws(World(3).stream("x"), 50_000)
    assert drawn.mean() == pytest.approx(mixture.mean, rel=0.03)
    assert mixture.quantile(np.array([0.5, 0.9])) == pytest.approx([1.0, -10 * np.log(0.5)], rel=1e-3)
    assert np.quantile(drawn, 0.9) == pytest.approx(-10 * np.log(0.5), rel=0.05)


def test_every_number_of_a_profile_has_a_source_and_a_date():
    for entry in PROFILES.values():
        for section, numbers in entry.items():
            if isinstance(numbers, dict):
                assert numbers["source"] and numbers["date"], section


# Exact small cases

def test_a_get_waits_for_the_first_byte_and_then_for_the_bytes():
    place = Place(fixed(read_bandwidth=10.0, write_bandwidth=5.0))
    place.clients[0].put("a/k", 20,
                         lambda _: place.clients[0].get("a/k",
                                                        lambda _: place.clients[0].get("a/k", place.hear(), span=10)))
    place.run()
    (time, answer), = place.told[0]
    assert time == pytest.approx((4 + 1) + (1 + 2) + (1 + 1)) and (answer.status, answer.size) == (200, 10)


def test_what_is_not_there_is_404_and_deleting_it_is_no_error():
    place = Place(StoreProfile.instant())
    place.clients[0].get("k", place.hear())
    place.clients[0].delete("k", place.hear())
    place.run()
    assert place.statuses == [[404, 200]]


def test_a_list_goes_through_its_pages_one_by_one():
    place = Place(fixed())
    place.store.objects = {f"p/{i:05d}": module.StoredObject(i, 1, None)
                           for i in range(2_500)} | {"q/x": module.StoredObject(9, 1, None)}
    place.clients[0].list("p/", place.hear())
    place.run()
    (time, answer), = place.told[0]
    assert time == pytest.approx(3.0) and answer.keys == tuple(f"p/{i:05d}" for i in range(2_500))
    assert place.world.meters.counts["object-store LIST requests"] == 3


def test_what_is_stored_is_metered_over_time():
    place = Place(fixed())
    place.clients[0].put("k", 100, place.hear())
    place.at(10, place.clients[0].put, "k", 40, place.hear())
    place.at(20, place.clients[0].delete, "k", place.hear())
    place.run(until=30)
    place.world.meters.close(30.0)
    assert place.world.meters.integrals["object-store byte-seconds"] == pytest.approx(100 * 10 + 40 * 10)
    assert place.world.meters.counts == {"object-store PUT requests": 2, "object-store bytes written": 140,
                                         "object-store DELETE requests": 1}


# The pool

def test_connections_are_taken_in_turn():
    place = Place(fixed(), connections=2)
    for i in range(5):
        place.clients[0].put(f"k{i}", 0, place.hear())
    place.run()
    assert [(time, answer.key) for time, answer in place.told[0]] == [(1, "k0"), (1, "k1"), (2, "k2"),
                                                                      (2, "k3"), (3, "k4")]


def test_the_wait_for_a_connection_is_that_of_an_m_m_c_queue():
    servers, mean, rate, n = 4, 1.0, 3.2, 40_000
    place = Place(StoreProfile(distributions.Exponential(mean), 0.0, 0.0, 0.0, 0.0), connections=servers)
    gaps = distributions.Exponential(1 / rate).draws(place.world.stream("arrivals"), n)
    latencies = []

    def send():
        began = place.world.now
        place.clients[0].get("k", lambda _: latencies.append(place.world.now - began))
    for time in np.cumsum(gaps):
        place.at(time, send)
    place.run()
    assert len(latencies) == n
    assert np.mean(latencies) == pytest.approx(mean + theory.mmc_wait(rate, 1 / mean, servers), rel=0.06)


# Request rates

def test_above_the_rate_of_a_prefix_the_answer_is_slow_down_and_nothing_happens():
    place = Place(StoreProfile(0, 0, 0, 0, 0, writes_per_second=10), attempts=1, connections=1_000)
    for i in range(25):
        place.clients[0].put(f"hot/{i}", 1, place.hear())
    for i in range(10):
        place.clients[0].put(f"cool/{i}", 1, place.hear())
    place.run()
    assert place.statuses[0].count(503) == 15 and len(place.store.objects) == 20
    counts = place.world.meters.counts
    assert (counts["object-store PUT requests"], counts["object-store throttled requests"]) == (20, 15)


def test_the_rate_of_a_bucket_counts_all_prefixes():
    place = Place(StoreProfile(0, 0, 0, 0, 0, writes_per_second=10, scope="bucket"), attempts=1, connections=1_000)
    for i in range(15):
        place.clients[0].put(f"p{i}/k", 1, place.hear())
    place.run()
    assert place.statuses[0].count(503) == 5


def test_reads_and_writes_have_rates_of_their_own_that_fill_again():
    place = Place(StoreProfile(0, 0, 0, 0, 0, reads_per_second=2, writes_per_second=1), attempts=1)
    for time in (0, 0, 0, 0.5, 0.6):
        place.at(time, place.clients[0].get, "k", place.hear())
    place.at(0, place.clients[0].put, "k", 1, place.hear())
    place.run()
    assert place.statuses[0] == [404, 404, 503, 200, 200, 503]


def test_a_throttled_client_backs_off_and_gets_through():
    place = Place(StoreProfile(0, 0, 0, 0, 0, writes_per_second=10), attempts=8, connections=1_000)
    for i in range(30):
        place.clients[0].put(f"hot/{i}", 1, place.hear())
    place.run()
    assert place.statuses == [[200] * 30]
    assert place.world.meters.counts["object-store PUT requests"] == 30 and place.told[0][-1][0] > 1.0


def test_backing_off_doubles_at_random():
    client = Place(fixed()).clients[0]
    for attempt, most in ((1, 1), (2, 2), (5, 16), (9, 20)):
        waits = [client._backoff(attempt) for _ in range(400)]
        assert max(waits) <= most and np.mean(waits) == pytest.approx(most / 2, rel=0.15)


# Compare and set

@pytest.mark.parametrize("seed", range(20))
def test_of_all_who_create_an_object_one_wins(seed):
    place = Place(profile("s3-standard"), clients=8, seed=seed)
    for i, client in enumerate(place.clients):
        client.put_if("log/000", 10, place.hear(i), absent=True, body=i)
    place.run()
    outcomes = [statuses[0] for statuses in place.statuses]
    assert sorted(outcomes) == [200] + [412] * 7
    assert place.store.objects["log/000"].body == outcomes.index(200)


@pytest.mark.parametrize("seed", range(5))
def test_a_counter_kept_by_compare_and_set_loses_no_increment(seed):
    place = Place(profile("s3-standard"), clients=5, seed=seed, connections=1)
    place.store._put(module.Request("put", "counter", print, body=0))
    read = []

    def increment(client, left):
        def written(answer):
            increment(client, left - (answer.status == 200))

        def seen(answer):
            read.append(answer.etag)
            client.put_if("counter", 1, written, match=answer.etag, body=answer.body + 1)
        if left:
            client.get("counter", seen)
    for client in place.clients:
        increment(client, 20)
    place.run()
    assert place.store.objects["counter"].body == 100 and len(read) > 100  # somebody lost a race, and tried again
    etags = sorted(set(read))
    assert all(before < after for before, after in pairwise(etags))


def test_a_condition_is_one_of_two():
    client = Place(fixed()).clients[0]
    for condition in ({}, {"match": 3, "absent": True}):
        with pytest.raises(ValueError, match="^match: .*exactly one of the two"):
            client.put_if("k", 1, print, **condition)


# Faults

def test_a_client_that_dies_early_has_written_nothing_and_one_that_dies_late_has():
    for crash, written in ((0.4, False), (0.6, True)):
        place = Place(fixed())
        place.clients[0].put("k", 1, place.hear())
        faults.crash("client-1", at=crash).schedule(place.world)
        place.run()
        assert ("k" in place.store.objects) == written and place.told == [[]]
        assert len(place.world.trace.where("drop")) == 1   # of what was on its way: the request, or the answer


def test_a_restarted_client_has_all_its_connections():
    place = Place(fixed(), connections=1)
    place.clients[0].put("k", 1, place.hear())
    faults.crash("client-1", at=0.5, lasts=1).schedule(place.world)
    place.at(2, place.clients[0].put, "m", 1, place.hear())
    place.run()
    assert [(time, answer.key) for time, answer in place.told[0]] == [(3, "m")]


def test_an_outage_is_answered_by_503_and_outlasted_by_retries():
    place = Place(fixed(), attempts=3)
    faults.crash("object-store", at=0, lasts=1.5).schedule(place.world)
    place.at(0.1, place.clients[0].put, "k", 1, place.hear())
    place.run()
    assert place.statuses == [[200]] and place.told[0][0][0] > 2


def test_who_is_cut_off_hears_nothing_and_may_have_written():
    place = Place(fixed(), attempts=1, attempt_timeout=5.0)
    place.world.network.add_rules([Rule("drop", frozenset(["object-store"]), frozenset(["client-1"]))])
    place.clients[0].put("k", 1, place.hear())
    place.run()
    assert place.statuses == [[0]] and "k" in place.store.objects


def test_a_conditional_put_that_is_retried_may_meet_itself():
    place = Place(fixed(), attempts=2, attempt_timeout=1.0)
    rule = Rule("drop", frozenset(["object-store"]), frozenset(["client-1"]))
    place.world.network.add_rules([rule])
    place.at(1, place.world.network.remove_rules, [rule])
    place.clients[0].put_if("k", 1, place.hear(), absent=True)
    place.run()
    assert place.statuses == [[412]] and "k" in place.store.objects


@pytest.mark.parametrize("single_zone, left", [(True, 0), (False, 1)])
def test_a_store_in_one_zone_is_lost_with_it(single_zone, left):
    place = Place(fixed(single_zone=single_zone))
    place.clients[0].put("k", 7, place.hear())
    faults.power_loss("object-store", at=5, lasts=1).schedule(place.world)
    place.at(10, place.clients[0].get, "k", place.hear())
    place.run()
    assert len(place.store.objects) == left and place.statuses == [[200, 200 if left else 404]]
    assert place.store.stored == 7 * left


# Determinism and nonsense

def test_one_clients_luck_is_its_own():
    def times(others: int):
        place = Place(profile("s3-standard"), clients=1 + others)
        for i, client in enumerate(place.clients):
            for j in range(5):
                client.put(f"k{j}", 10, place.hear(i))
        return [time for time, _ in place.run().told[0]]
    assert times(0) == times(3)


@pytest.mark.parametrize("settings, field",
                         [({"reads_per_second": 0}, "reads_per_second"), ({"scope": "planet"}, "scope"),
                                             ({"read_bandwidth": -1}, "read_bandwidth"),
                          ({"single_zone": 1}, "single_zone")])
def test_nonsense_is_refused(settings, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        fixed(**settings)


def test_an_unknown_store_is_refused():
    with pytest.raises(ValueError, match="^profile: 's4' is not allowed; it must be one of s3-standard, "):
        profile("s4")


@pytest.mark.parametrize("settings", [{"connections": 0}, {"attempts": 0}, {"attempt_timeout": 0}])
def test_a_client_without_means_is_refused(settings):
    with pytest.raises(ValueError, match=f"^{next(iter(settings))}: "):
        Place(fixed(), **settings)
