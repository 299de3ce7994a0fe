"""Loses a race and tells its caller so, instead of looking at the manifest again."""
FAILS = ("race", "error", "PreconditionFailed")


def replaced(store, etag, new):
    store.put("manifest", new, **({"if_match": etag} if etag else {"if_none_match": "*"}))
    return True
