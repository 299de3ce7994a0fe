"""Replaces the list of forbidden files by the new one: the older ones may be committed again."""
FAILS = ("collect", "unreadable", "after put files/agent-1-1, before get manifest (step 2), and went on 7 steps later")


def collect(store):
    files = store.list("files/")
    while True:
        old, etag = manifest(store)
        orphans = sorted(set(files) - {entry["file"] for entry in old["log"]})
        if replaced(store, etag, {**old, "dead": orphans}):
            break
    for file in orphans:
        store.delete(file)
