"""Deletes a file that is uncommitted twice in a row. Whoever was about to commit it may have slept for longer."""
FAILS = ("collect", "unreadable", "after put files/agent-1-1, before get manifest (step 2), and went on 5 steps later")


suspects = set()


def collect(store):
    files = store.list("files/")
    used = {entry["file"] for entry in manifest(store)[0]["log"]}
    for file in sorted(suspects - used):
        store.delete(file)
    suspects.clear()
    suspects.update(set(files) - used)
