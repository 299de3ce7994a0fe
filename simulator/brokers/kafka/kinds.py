"""The kinds of events that the Kafka model writes into a trace, each with the sentence that tells it."""

from __future__ import annotations

from ...evidence.trace import Trace

SENTENCES = {
    # messages
    "produce": ("send", "{node} sends {records} to {peer}"),
    "produced": ("send", "{node} answers {peer}: {records}"),
    "fetch": ("send", "{node} asks {peer} for records from its log end on"),
    "fetched": ("send", "{node} answers the fetch of {peer} with {records}"),
    "poll": ("send", "{node} asks {peer} for committed records"),
    "polled": ("send", "{node} hands {records} to {peer}"),
    "commit": ("send", "{node} commits its offsets at {peer}"),
    "heartbeat": ("send", "{node} tells {peer} that it is alive"),
    "register": ("send", "{node} registers at {peer}"),
    "alter_partition": ("send", "{node} asks {peer} to make the in-sync replicas of {key} {note}"),
    "metadata": ("send", "{node} tells {peer} of new metadata"),
    "metadata_request": ("send", "{node} asks {peer} who leads what"),
    "connect": ("send", "{node} connects to {peer}"),
    "connected": ("send", "{node} accepts the connection of {peer}"),
    "metadata_response": ("send", "{node} tells {peer} who leads what"),
    # what happens at a node
    "append": ("local", "{node} appends {offsets} of {key} in epoch {epoch}"),
    "replicate": ("local", "{node} copies {offsets} of {key}"),
    "high_watermark": ("local", "{node} moves the high watermark of {key} to {offset}"),
    "deduplicated": ("local", "{node} recognises a repeated batch of {key}: it is at {offsets} already"),
    "refused": ("local", "{node} refuses a batch of {key}: {note}"),
    "acknowledged": ("local", "{node} is told that {key} holds {offsets}"),
    "deliver": ("local", "{node} gets {offsets} of {key}"),
    "retry": ("local", "{node} will send {records} of {key} again: {note}"),
    "gave_up": ("state", "{node} gives up on {records} of {key}: {note}"),
    "timeout": ("state", "{node} has waited too long for {peer}"),
    # decisions and changes of state
    "fenced": ("state", "{node} fences {peer}: no heartbeat for {value} s"),
    "unfenced": ("state", "{node} lets {peer} back in"),
    "elect": ("local", "{node} chooses {peer} to lead {key} in epoch {epoch}{note}"),
    "elected": ("state", "{node} becomes leader of {key} in epoch {epoch}; its log ends at {offset}{note}"),
    "follow": ("local", "{node} follows {peer} for {key} in epoch {epoch}"),
    "isr": ("state", "the in-sync replicas of {key} are now {note}"),
    "truncate": ("state", "{node} cuts its log of {key} back to offset {offset}{note} and so removes {records}"),
    "lost_unflushed": ("state", "{node} has lost {records} of {key} that were never flushed; its log ends at {offset}"),
    "offline": ("state", "{key} has no leader"),
    "reset": ("state", "{node} was ahead of the log of {key} and goes back to offset {offset}"),
    "nearby": ("local", "{node} will read {key} from {peer}, from offset {offset} on"),
    "skipped": ("state", "{node} finds the beginning of {key} deleted and goes on at offset {offset}"),
}


class Kinds:
    """The codes of these kinds in one trace, as attributes."""

    def __init__(self, trace: Trace):
        for name, (shape, sentence) in SENTENCES.items():
            setattr(self, name, trace.kind(name, shape, sentence))
