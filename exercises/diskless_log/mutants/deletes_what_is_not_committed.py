"""Lists the files, looks at the manifest, and deletes what is not in it: also what is committed a moment later."""
FAILS = ("collect", "unreadable", "after put files/agent-1-1, before get manifest (step 2), and went on 3 steps later")


def collect(store):
    files = store.list("files/")
    used = {entry["file"] for entry in manifest(store)[0]["log"]}
    for file in files:
        if file not in used:
            store.delete(file)
