"""The kinds of events that a group writes into a trace, each with the sentence that tells it.

`value` tells one membership of a member from its next: a member that was put out comes back as somebody else.
"""

SENTENCES = {
    # messages
    "join_group": ("send", "{node} asks {peer} to join the group"),
    "joined": ("send", "{node} tells {peer} that generation {epoch} has {count} members {note}"),
    "sync_group": ("send", "{node} asks {peer} for its assignment {note}"),
    "synced": ("send", "{node} assigns {count} partitions to {peer} {note}"),
    "leave_group": ("send", "{node} tells {peer} that it leaves the group"),
    "heartbeat": ("send", "{node} tells {peer} that it is alive"),
    "heartbeat_answer": ("send", "{node} answers the heartbeat of {peer} {note}"),
    "commit": ("send", "{node} commits its offsets at {peer}"),
    "commit_answer": ("send", "{node} answers the commit of {peer} {note}"),
    "offset_fetch": ("send", "{node} asks {peer} where to begin"),
    "offset_fetched": ("send", "{node} tells {peer} where to begin in {count} partitions"),
    # at a member
    "assigned": ("state", "{node} now owns {key}"),
    "revoked": ("state", "{node} gives up {key}"),
    "left_behind": ("state", "{node} finds that it no longer owns {key}"),
    "deliver": ("local", "{node} gets {records} of {key}, {offsets}"),
    "start": ("state", "{node} starts"),
    "stop": ("state", "{node} stops in good order"),
    "poll_expired": ("state", "{node} has not polled for longer than max.poll.interval"),
    "commit_failed": ("state", "{node} cannot commit what it has done in {count} partitions: it is no longer a member"),
    # at the coordinator
    "rebalance": ("state", "{node} begins a rebalance ({note})"),
    "generation": ("state", "{node} closes the barrier: generation {epoch} has {count} members"),
    "target": ("state", "{node} has a target assignment for group epoch {epoch}"),
    "stable": ("state", "{node} has a stable group at {epoch}"),
    "removed": ("state", "{node} puts {peer} out of the group ({note})"),
    "committed": ("local", "{node} stores offset {offset} for {key}"),
    "refused": ("state", "{node} refuses the commit of {peer} ({note})"),
}
