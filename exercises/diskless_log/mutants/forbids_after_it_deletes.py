"""Deletes the orphans first and forbids them then."""
FAILS = ("collect", "unreadable", "before delete files/")


def collect(store):
    files = store.list("files/")
    while True:
        old, etag = manifest(store)
        orphans = set(files) - {entry["file"] for entry in old["log"]}
        for file in sorted(orphans):
            store.delete(file)
        dead = sorted(orphans | set(old["dead"]))
        if dead == old["dead"] or replaced(store, etag, {**old, "dead": dead}):
            break
