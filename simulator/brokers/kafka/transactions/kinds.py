"""The kinds of events that transactions add to a trace, each with the sentence that tells it."""

from __future__ import annotations

SENTENCES = {
    # messages, named after Kafka's requests
    "init_producer_id": ("send", "{node} announces itself to {peer} as a producer of transactions"),
    "add_partitions": ("send", "{node} tells {peer} that a transaction writes to {note}"),
    "end_txn": ("send", "{node} asks {peer} to {note} its transaction"),
    "write_markers": ("send", "{node} tells {peer} to write a marker: {note}"),
    "txn_offset_commit": ("send", "{node} commits offsets at {peer} inside its transaction"),
    "offset_commit": ("send", "{node} commits offsets at {peer}"),
    "offset_fetch": ("send", "{node} asks {peer} for committed offsets"),
    "group_heartbeat": ("send", "{node} tells {peer} that it is a member"),
    "read": ("send", "{node} reads from {peer}"),
    "answer": ("send", "{node} answers {peer}: {note}"),
    # what happens at a node
    "transaction": ("state", "{node} moves the transaction of {peer} to {note}"),
    "coordinates": ("state", "{node} becomes coordinator with what its log says"),
    "marker": ("state", "{node} ends the transaction on {key} with a marker at offset {offset}: {note}"),
    "marker_refused": ("state", "{node} refuses a marker for {key}: {note}"),
    "began": ("local", "{node} begins a transaction"),
    "committed": ("state", "{node} is told that its transaction is committed"),
    "aborted": ("state", "{node} is told that its transaction is aborted"),
    "uncertain": ("state", "{node} does not know what became of its transaction: {note}"),
    "fenced_producer": ("state", "{node} learns that it is fenced: {note}"),
    "generation": ("state", "{node} begins generation {value} of the group: {note}"),
    "lost_partitions": ("state", "{node} learns that the group has gone on without it"),
}
