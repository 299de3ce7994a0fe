"""No answer to the commit, so it will have been carried out, and is acknowledged."""
FAILS = ("commit", "lost", "never arrived")


def replaced(store, etag, new):
    try:
        store.put("manifest", new, **({"if_match": etag} if etag else {"if_none_match": "*"}))
        return True
    except PreconditionFailed:
        return False
    except NoAnswer:
        return True
