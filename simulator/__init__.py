"""A discrete-event simulator of distributed messaging, made to be looked at, poked and read.

    from simulator import Workload, kafka, faults, simulate
    run = simulate(kafka.Cluster(producer=kafka.Producer(acks=1)), Workload(rate=1_000, seconds=30),
                   faults=[faults.crash("broker-1", at=10, lasts=5)], seed=7)
    run.check(); run.latency; run.play(); run.story(); run.why()

Two floors. On the ground, knowing nothing above: `kernel` (time, chance, nodes, network, disks), `evidence` (what is
recorded and how it is judged), `workload`, `theory`. Above: `brokers` (the models), `patterns` (what stands between a
service, its database and a broker), `views` (figures and the player), and `experiment`, which runs them.
"""

from . import patterns, theory
from .brokers import bufstream, kafka, pubsub, redpanda, warpstream, workqueue
from .brokers.pauses import Pauses
from .experiment import compare, simulate, sweep
from .kernel import distributions, faults
from .workload import Workload

__all__ = ["Pauses", "Workload", "bufstream", "compare", "distributions", "faults", "kafka", "patterns", "pubsub",
           "redpanda", "simulate", "sweep", "theory", "warpstream", "workqueue"]
