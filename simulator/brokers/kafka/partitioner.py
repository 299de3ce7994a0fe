"""Which partition a record goes to: murmur2 of its key, or sticky if it has none.

Source: org.apache.kafka.common.utils.Utils.murmur2 and KIP-480 / KIP-794 (sticky partitioning: stay until `batch.size`
bytes were produced).
"""

from __future__ import annotations

import numpy as np

_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash by which every Kafka client maps keys, as an unsigned number."""
    m = 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & _MASK
        k = (k ^ k >> 24) * m & _MASK
        h = (h * m & _MASK) ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & _MASK
    h = (h ^ h >> 13) * m & _MASK
    return h ^ h >> 15


def partition_of_key(key: bytes, partitions: int) -> int:
    """The partition of a record with this key: positive(murmur2) modulo the number of partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def partitions_of(keys: np.ndarray | None, count: int, partitions: int, stream, records_a_batch: int) -> np.ndarray:
    """The partition of each of `count` records, given their key numbers, or sticky for records without keys."""
    if keys is not None:
        table = np.array([partition_of_key(f"key-{k}".encode(), partitions)
                          for k in range(int(keys.max(initial=0)) + 1)], dtype=np.int16)
        return table[keys]
    runs = -(-count // records_a_batch)
    sticky = np.floor(stream.uniforms(runs) * partitions).astype(np.int16)
    return np.repeat(sticky, records_a_batch)[:count]
