"""What can be set about segments and tiers, with the defaults of Apache Kafka 4.2 (units: seconds and bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from ....kernel.distributions import is_number
from ....kernel.objectstore import StoreProfile, profile
from ...settings import boolean, changes, check, instance, positive_seconds, whole

DAY = 86_400.0
MIB = 1024 * 1024


@dataclass(frozen=True, repr=False)
class Tiering:
    """Segments, retention and the object store.

    remote: whether the topic has a remote tier (`remote.storage.enable`); without it, retention deletes for good.
    segment_bytes, segment_time: a segment is closed when it is so big or so old (`segment.bytes`, `segment.ms`), and
    the next batch comes.
    retention: how long records are kept in all (`retention.ms`); inf keeps them for ever.
    local_retention, local_retention_bytes: how much of it stays on the brokers' disks; None: all of it
    (`local.retention.ms` = -2).
    task_interval: how often a leader looks for segments to copy (`remote.log.manager.task.interval.ms`).
    retention_check_interval: how often a broker looks for segments to delete (`log.retention.check.interval.ms`).
    reader_threads: reads from the store at a time (`remote.log.reader.threads`); chunk_bytes: how much one of them
    brings (the default of Aiven's plug-in, github.com/Aiven-Open/tiered-storage-for-apache-kafka); chunk_cache: how
    many of them a broker keeps.
    page_cache: bytes at the end of each log that are in memory; what lies before is read from the disk at
    `disk_bandwidth` bytes a second (the default is what an EBS gp3 volume includes), and the broker sends nothing
    else meanwhile. inf: the disk costs no time.
    """
    remote: bool = True
    segment_bytes: int = 1024 * MIB
    segment_time: float = 7 * DAY
    retention: float = 7 * DAY
    local_retention: float | None = None
    local_retention_bytes: int | None = None
    task_interval: float = 30.0
    retention_check_interval: float = 300.0
    reader_threads: int = 10
    chunk_bytes: int = 4 * MIB
    chunk_cache: int = 16
    page_cache: float = inf
    disk_bandwidth: float = 125.0 * MIB
    store: StoreProfile = field(default_factory=lambda: profile("s3-standard"))

    def __post_init__(self):
        boolean(self, "remote")
        for name in ("segment_bytes", "reader_threads", "chunk_bytes"):
            whole(self, name, 1)
        whole(self, "chunk_cache", 0)
        for name in ("segment_time", "task_interval", "retention_check_interval"):
            positive_seconds(self, name)
        for name in ("retention", "page_cache", "disk_bandwidth"):
            value = getattr(self, name)
            check(self, name, is_number(value, finite=False) and value > 0, "a number greater than 0, or inf")
        check(self, "local_retention", self.local_retention is None or is_number(self.local_retention)
              and 0 <= self.local_retention <= self.retention,
              f"None or a number of seconds, at most the retention, {self.retention:g}")
        if self.local_retention_bytes is not None:
            whole(self, "local_retention_bytes", 0)
        check(self, "local_retention", self.remote or self.local_retention is None, "None without a remote tier")
        check(self, "local_retention_bytes", self.remote or self.local_retention_bytes is None,
              "None without a remote tier")
        instance(self, "store", StoreProfile)

    @property
    def on_disk(self) -> float:
        """Seconds for which a closed and copied segment stays on the brokers' disks."""
        return self.retention if self.local_retention is None else self.local_retention

    def __repr__(self) -> str:
        return f"Tiering({changes(self)})"
