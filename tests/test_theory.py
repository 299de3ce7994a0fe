"""Every closed form against printed numbers, most of them worked out elsewhere than in simulator/theory.py."""

from functools import partial
from math import inf, log

import pytest

from simulator import theory

MS = 1e-3


def printed(text: str):
    """The number as printed: any value that rounds to these digits."""
    digits = len(text.partition(".")[2].partition("e")[0])
    exponent = int(text.partition("e")[2] or 0)
    return pytest.approx(float(text), abs=0.5000001 * 10 ** (exponent - digits), rel=0)


class TestQueues:
    def test_little(self):
        assert theory.little(120, 0.25) == 30

    @pytest.mark.parametrize("rho, sojourn, wait_p99", [
        (.5, "2", "7.8240"), (.7, "3.3333", "14.1617"), (.8, "5", "21.9101"), (.9, "10", "44.9981"),
        (.95, "20", "91.0775"), (.99, "100", "459.512")])
    def test_mm1(self, rho, sojourn, wait_p99):
        assert theory.mm1_sojourn(1000 * rho, 1000) / MS == printed(sojourn)
        assert theory.mm1_wait(1000 * rho, 1000) / MS == pytest.approx(rho * theory.mm1_sojourn(1000 * rho, 1000) / MS)
        assert theory.mm1_wait_quantile(1000 * rho, 1000, .99) / MS == printed(wait_p99)

    @pytest.mark.parametrize("p, times_the_mean", [(.5, ".693147"), (.99, "4.60517"), (.999, "6.90776")])
    def test_mm1_sojourn_is_exponential(self, p, times_the_mean):
        assert theory.mm1_sojourn_quantile(500, 1000, p) / theory.mm1_sojourn(500, 1000) == printed(times_the_mean)

    def test_mm1_number_is_geometric_and_its_mean_is_littles(self):
        chances = [theory.mm1_number(800, 1000, n) for n in range(400)]
        assert sum(chances) == pytest.approx(1)
        mean = sum(n * p for n, p in enumerate(chances))
        assert mean == pytest.approx(theory.little(800, theory.mm1_sojourn(800, 1000)))

    def test_nobody_below_the_idle_share_waits(self):
        assert theory.mm1_wait_quantile(500, 1000, .5) == 0
        assert theory.mm1_wait_quantile(500, 1000, .51) > 0

    def test_mg1_scales_with_variability(self):
        exponential = theory.mm1_wait(800, 1000)
        assert theory.md1_wait(800, 1000) == exponential / 2
        assert theory.mg1_wait(800, 1000, cv2=4) == pytest.approx(2.5 * exponential)
        assert theory.mg1_wait(800, 1000, cv2=1) == exponential
        second_moment = (1 + 4) * 1e-6
        assert theory.mg1_wait(800, 1000, cv2=4) == pytest.approx(800 * second_moment / (2 * (1 - .8)))

    @pytest.mark.parametrize("servers, rho, waiting, wait, wait_p99", [
        (2, .8, ".711111", "17.77778", "106.6061"), (4, .8, ".596432", "7.45541", "51.1048"),
        (8, .8, ".457645", "2.86028", "23.8969"), (16, .8, ".304884", ".95276", "10.6792"),
        (4, .9, ".787753", "19.69383", "109.1650"), (16, .9, ".591343", "3.69590", "25.4988")])
    def test_mmc(self, servers, rho, waiting, wait, wait_p99):
        arrivals = servers * rho * 100
        assert theory.erlang_c(arrivals, 100, servers) == printed(waiting)
        assert theory.mmc_wait(arrivals, 100, servers) / MS == printed(wait)
        p99 = theory.mmc_wait_quantile(arrivals, 100, servers, .99)
        assert p99 / MS == printed(wait_p99)
        assert theory.mmc_wait_tail(arrivals, 100, servers, p99) == pytest.approx(.01)

    def test_one_server_of_mmc_is_mm1(self):
        assert theory.erlang_c(700, 1000, 1) == pytest.approx(.7)
        assert theory.mmc_wait(700, 1000, 1) == pytest.approx(theory.mm1_wait(700, 1000))

    def test_a_thousand_servers_do_not_overflow(self):
        assert 0 < theory.erlang_c(99_000, 100, 1000) < 1

    def test_kingman_is_exact_for_mg1(self):
        assert theory.kingman_wait(800, 1000, 1, 0) == theory.md1_wait(800, 1000)
        assert theory.kingman_wait(800, 1000, 0, 0) == 0

    @pytest.mark.parametrize("call", [
        lambda: theory.mm1_wait(1000, 1000), lambda: theory.mmc_wait(401, 100, 4), lambda: theory.md1_wait(2, 1),
        lambda: theory.drain_time(3, 2, 10), lambda: theory.catch_up_time(2, 2, 10)])
    def test_an_overloaded_queue_is_refused(self, call):
        with pytest.raises(ValueError, match="utilization of .* only below 1"):
            call()


class TestAcknowledgements:
    @pytest.mark.parametrize("k, n, mean, p50, p99, p999", [
        (1, 2, ".5000", ".3466", "2.3026", "3.4539"), (2, 2, "1.5000", "1.2279", "5.2958", "7.6007"),
        (2, 3, ".8333", ".6931", "2.8319", "3.9970"), (3, 3, "1.8333", "1.5784", "5.7004", "8.0060"),
        (2, 4, ".5833", ".4873", "1.9599", "2.7483"), (4, 4, "2.0833", "1.8382", "5.9877", "8.2937"),
        (3, 5, ".7833", ".6931", "2.2477", "3.0459"), (5, 5, "2.2833", "2.0445", "6.2106", "8.5168")])
    def test_exponential_followers(self, k, n, mean, p50, p99, p999):
        one = partial(theory.exponential_quantile, mean=1)
        assert theory.kth_of_n_exponential_mean(1, k, n) == printed(mean)
        for p, value in ((.5, p50), (.99, p99), (.999, p999)):
            assert theory.kth_of_n_quantile(one, p, k, n) == printed(value)

    @pytest.mark.parametrize("k, n, p50, p99", [
        (1, 2, "1.523", "3.796"), (2, 2, "2.626", "7.247"), (2, 4, "1.730", "3.426"), (4, 4, "3.294", "8.134")])
    def test_lognormal_followers(self, k, n, p50, p99):
        one = partial(theory.lognormal_quantile, median=2 * MS, sigma=.5)
        assert theory.kth_of_n_quantile(one, .5, k, n) / MS == printed(p50)
        assert theory.kth_of_n_quantile(one, .99, k, n) / MS == printed(p99)

    @pytest.mark.parametrize("k, n, percent", [(1, 2, "90"), (2, 2, "99.4987"), (2, 4, "85.9")])
    def test_the_p99_of_k_is_another_percentile_of_one(self, k, n, percent):
        assert 100 * theory.kth_of_n_level(.99, k, n) == printed(percent)

    def test_level_and_distribution_are_inverse(self):
        assert theory.kth_of_n_cdf(theory.kth_of_n_level(.37, 3, 5), 3, 5) == pytest.approx(.37)

    @pytest.mark.parametrize("versions, chance", [
        (1, ".3333"), (2, ".5556"), (3, ".7037"), (5, ".8683"), (10, ".9827")])
    def test_partial_quorums(self, versions, chance):
        assert theory.fresh_read(3, 1, 1, versions) == printed(chance)

    def test_overlapping_quorums_are_always_fresh(self):
        assert theory.fresh_read(3, 2, 2) == 1

    @pytest.mark.parametrize("node, k, chance", [(.99, 2, ".999702"), (.999, 2, ".999997002"), (.99, 1, ".999999"),
                                                 (.99, 3, ".970299")])
    def test_write_availability(self, node, k, chance):
        assert theory.availability(node, k, 3) == printed(chance)


class TestBatching:
    @pytest.mark.parametrize("rate, linger, delay", [(100, 5, "4.1667"), (1000, 5, "2.9167"), (10_000, 5, "2.549"),
                                                     (1000, 10, "5.4545")])
    def test_linger_delay(self, rate, linger, delay):
        assert theory.linger_delay(rate, linger * MS) / MS == printed(delay)

    def test_linger_batches_and_requests(self):
        assert theory.linger_batch(100, 5 * MS) == 1.5
        assert theory.linger_batch(1000, 5 * MS) == 6
        assert theory.linger_requests(1000, 5 * MS) == printed("166.7")

    def test_without_linger_every_record_travels_alone(self):
        assert theory.linger_batch(1000, 0) == 1
        assert theory.linger_delay(1000, 0) == 0
        assert theory.linger_requests(1000, 0) == 1000

    def test_waiting_for_a_full_batch(self):
        assert theory.full_batch_delay(1000, 100) / MS == printed("49.5")

    def test_waiting_for_a_tick(self):
        assert theory.tick_delay(.2) == .1
        assert theory.tick_delay_quantile(.2, .99) == pytest.approx(.198)


class TestLag:
    def test_grows_and_shrinks_but_never_below_zero(self):
        assert theory.lag(1200, 1000, 60) == 12_000
        assert theory.lag(800, 1000, 30, initial=12_000) == 6_000
        assert theory.lag(800, 1000, 3600, initial=12_000) == 0

    @pytest.mark.parametrize("rho, minutes", [(.5, 30), (.7, 70), (.9, 270), (.95, 570)])
    def test_catching_up_after_thirty_minutes(self, rho, minutes):
        assert theory.catch_up_time(1000 * rho, 1000, 30 * 60) / 60 == pytest.approx(minutes)
        assert theory.behind_time(1000 * rho, 1000, 30 * 60) / 60 == pytest.approx(30 / (1 - rho))

    def test_the_backlog_is_gone_when_it_is_drained(self):
        backlog = theory.lag(800, 0, 600)
        assert backlog == 480_000
        assert theory.lag(800, 1000, theory.drain_time(800, 1000, backlog), backlog) == 0

    def test_overflow(self):
        assert theory.time_to_overflow(1000, 0, retention=3600) == 3600
        assert theory.time_to_overflow(1000, 900, retention=3600) == pytest.approx(36_000)
        assert theory.time_to_overflow(1000, 1000, retention=3600) == inf


class TestElections:
    @pytest.mark.parametrize("minimum, width, live, mean", [
        (150, 150, 4, "180.0"), (150, 150, 2, "200"), (1000, 1000, 2, "1333.3")])
    def test_first_timeout(self, minimum, width, live, mean):
        assert theory.election_timeout(minimum * MS, width * MS, live) / MS == printed(mean)

    def test_its_tail_and_the_chance_of_a_clear_winner(self):
        assert theory.election_timeout_quantile(150, 150, 4, .99) == printed("252.57")
        assert theory.no_rival(150, 4, within=5) == printed(".8732")
        assert theory.no_rival(50, 4, within=15) == printed(".24")
        assert theory.no_rival(150, 4, within=15) == printed(".656")
        assert theory.no_rival(5, 4, within=15) == 0

    def test_the_raft_papers_first_round(self):
        """Figure 16: the leader dies, on average, a quarter of the minimum timeout after its last heartbeat."""
        assert theory.election_timeout(150, 5, 4) - 150 / 4 == printed("113.5")
        assert theory.election_timeout(12, 12, 4) - 12 / 4 == printed("11.4")


class TestLoss:
    def test_what_one_failure_takes(self):
        best_follower = theory.kth_of_n_exponential_mean(2 * MS, 1, 2)
        assert theory.exposed_records(10_000, best_follower) == pytest.approx(10)
        assert theory.unsynced_records(1000, 120) == 60_000

    @pytest.mark.parametrize("n, failed, partitions, chance", [
        (10, 3, 100, ".566917"), (50, 3, 10_000, ".399635"), (100, 3, 10_000, ".059970"),
        (1000, 10, 100_000, ".069671"), (5000, 50, 5_000_000, ".990967")])
    def test_large_clusters(self, n, failed, partitions, chance):
        assert theory.any_partition_lost(failed, n, 3, partitions) == printed(chance)

    def test_nodes_that_fail_by_chance(self):
        assert theory.cluster_loses_data(.001, 100, 3, 10_000) == printed("9.613e-6")

    def test_two_of_ten_nodes_with_two_replicas(self):
        assert 100 * theory.partition_lost(2, 10, 2) == printed("2.22")
        assert theory.partition_lost(1, 10, 2) == 0

    @pytest.mark.parametrize("ids, bits, chance", [
        (77_163, 32, ".5000"), (10_000, 32, ".01157"), (5_060_000_000, 64, ".5004"), (10 ** 15, 122, "9.4e-8")])
    def test_birthday(self, ids, bits, chance):
        assert theory.birthday(ids, bits) == printed(chance)

    @pytest.mark.parametrize("n, chance", [(10, ".0956"), (100, ".634")])
    def test_the_tail_of_a_fan_out(self, n, chance):
        assert theory.any_of(.01, n) == printed(chance)

    def test_any_of_keeps_small_probabilities(self):
        assert theory.any_of(1e-18, 1000) == pytest.approx(1e-15)
        assert theory.any_of(1, 3) == 1


class TestCost:
    @pytest.mark.parametrize("groups, closest, crossings, dollars", [
        (1, False, "3.333", ".0667"), (2, False, "4.0", ".080"), (3, False, "4.667", ".0933"),
        (2, True, "2.667", ".0533")])
    def test_bytes_between_zones(self, groups, closest, crossings, dollars):
        crossed = theory.cross_zone_bytes(groups, fetch_from_closest=closest)
        assert crossed == printed(crossings)
        assert crossed * 0.02 == printed(dollars)

    def test_a_month_of_300_mebibytes_a_second(self):
        crossing = 300 * theory.cross_zone_bytes(groups=2)
        gibibytes = crossing * 30 * 86_400 / 1024
        assert (crossing, gibibytes, gibibytes * 0.02) == (1200, 3_037_500, 60_750)

    def test_two_replicas_in_three_zones_leave_one_zone_without(self):
        assert theory.cross_zone_bytes(1, replication=2, fetch_from_closest=True) == pytest.approx(1 + 2 / 3 + 1 / 3)

    def test_object_store_requests(self):
        month = theory.put_requests(agents=1, flush_interval=.25, seconds=30 * 86_400)
        assert month / 1e6 == printed("10.37")
        assert theory.request_cost(month) == printed("51.84")


@pytest.mark.parametrize("call, said", [
    (lambda: theory.mm1_wait(0, 1), "arrival_rate: 0 is not a positive number"),
    (lambda: theory.mm1_wait(1, float("nan")), "service_rate: nan is not a positive number"),
    (lambda: theory.little(-1, 1), "arrival_rate: -1 is not zero or a positive number"),
    (lambda: theory.erlang_c(1, 1, 1.5), "servers: 1.5 is not a whole number from 1 on"),
    (lambda: theory.erlang_c(1, 1, 0), "servers: 0 is not a whole number from 1 on"),
    (lambda: theory.mm1_sojourn_quantile(1, 2, 99), "p: 99 is not a probability between 0 and 1, both excluded"),
    (lambda: theory.kth_of_n_level(1.5, 1, 2), "p: 1.5 is not a probability from 0 to 1"),
    (lambda: theory.kth_of_n_level(.5, 3, 2), "k: 3 of 2 is more than there are; at most 2 is allowed"),
    (lambda: theory.fresh_read(3, 4, 1), "write: 4 of 3 is more than there are; at most 3 is allowed"),
    (lambda: theory.partition_lost(11, 10, 3), "failed: 11 nodes of 10 cannot fail; at most 10 can"),
    (lambda: theory.birthday(-1, 32), "ids: -1 is not a whole number from 0 on"),
    (lambda: theory.cross_zone_bytes(1, zones=2), "replication: 3 of 2 is more than there are; at most 2 is allowed"),
])
def test_nonsense_is_refused_by_name(call, said):
    with pytest.raises(ValueError) as refusal:
        call()
    assert str(refusal.value) == said


def test_a_lognormal_through_two_published_percentiles():
    """S3 Standard PUT: p50 100 ms and p99 195 ms predict a p99.9 of 242.8 ms (turbopuffer's fleet measured 274)."""
    sigma = log(1.95) / 2.3263
    assert theory.lognormal_quantile(.999, .100, sigma) / MS == printed("242.8")
