"""The kinds of events that a share group writes into a trace, each with the sentence that tells it.

`moved` is a record's change of state when it leaves somebody's hands; its `value` is the new state by Kafka's number.
"""

SENTENCES = {
    # messages
    "produce": ("send", "{node} sends {records} of {key} to {peer}"),
    "produced": ("send", "{node} has stored {offsets} of {key} for {peer}"),
    "share_fetch": ("send", "{node} asks {peer} for records"),
    "share_fetched": ("send", "{node} answers {peer} with {records}"),
    "share_acknowledge": ("send", "{node} tells {peer} about {records} of {key} from offset {offset}: {note}"),
    "share_close": ("send", "{node} closes its session with {peer}"),
    "heartbeat": ("send", "{node} tells {peer} that it is alive"),
    "heartbeat_answer": ("send", "{node} tells {peer} that it reads {count} partitions"),
    "leave": ("send", "{node} tells {peer} that it leaves the group"),
    "write_state": ("send", "{node} has {peer} store the state of {records} of {key}"),
    "state_written": ("send", "{node} has stored that state for {peer}"),
    "read_state": ("send", "{node} asks {peer} for the state of its share-partitions"),
    "state": ("send", "{node} tells {peer} the state of its share-partitions"),
    # at a member
    "start": ("state", "{node} starts"),
    "stop": ("state", "{node} stops in good order"),
    "assigned": ("state", "{node} now reads {key}"),
    "revoked": ("state", "{node} no longer reads {key}"),
    "deliver": ("local", "{node} gets {offsets} of {key}, delivery number {epoch}"),
    "done": ("local", "{node} has done its work on {offsets} of {key}"),
    "failed": ("state", "{node} cannot process {offsets} of {key}"),
    "killed": ("state", "{node} is killed by {offsets} of {key}"),
    # at the leader
    "elected": ("state", "{node} leads {key} in epoch {epoch}"),
    "append": ("local", "{node} appends {records} to {key}, {offsets}"),
    "acquired": ("local", "{node} locks {offsets} of {key} for {peer}, delivery number {epoch}"),
    "renewed": ("local", "{node} renews the lock of {peer} on {offsets} of {key}"),
    "moved": ("local", "{node} has offset {offset} of {key} as {note}"),
    "refused": ("state", "{node} refuses to {note} offset {offset} of {key} for {peer}, which no longer holds it"),
    "lock_expired": ("state", "{node} takes {records} of {key} from {peer}: the lock has run out"),
    "session_closed": ("state", "{node} takes {records} of {key} back from {peer}: its session is over"),
    "start_offset": ("local", "{node} moves the start offset of {key} to {offset}"),
    "recovered": ("state", "{node} takes over {key} from offset {offset}, {count} in flight"),
    # at the coordinator
    "assignment": ("state", "{node} has an assignment for {count} members"),
    "removed": ("state", "{node} puts {peer} out of the group ({note})"),
    "fenced": ("state", "{node} refuses a write of {peer}, which led in epoch {epoch}"),
}
