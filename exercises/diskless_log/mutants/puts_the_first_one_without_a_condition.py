"""No manifest yet means no ETag, and no ETag means no condition: two first commits, one of them gone."""
FAILS = ("commit", "lost", "arrived later: put manifest")


def replaced(store, etag, new):
    try:
        store.put("manifest", new, if_match=etag)
        return True
    except PreconditionFailed:
        return False
