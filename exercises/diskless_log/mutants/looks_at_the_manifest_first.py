"""Looks at the manifest and then lists the files: what was committed in between looks like an orphan."""
FAILS = ("collect", "unreadable", "after get manifest, before list files/")


def collect(store):
    used = {entry["file"] for entry in manifest(store)[0]["log"]}
    orphans = [file for file in store.list("files/") if file not in used]
    while True:
        old, etag = manifest(store)
        dead = sorted({*old["dead"], *orphans})
        if dead == old["dead"] or replaced(store, etag, {**old, "dead": dead}):
            break
    for file in orphans:
        store.delete(file)
