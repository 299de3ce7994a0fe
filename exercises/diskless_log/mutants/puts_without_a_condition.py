"""Reads, changes and puts: whoever put in between has never been there."""
FAILS = ("race", "lost", "before put manifest (")


def replaced(store, etag, new):
    store.put("manifest", new)
    return True
