"""Reads what lies in the store, in the order of the names: also what was never committed."""
FAILS = ("reading", "misinformed", "before list files/")


def read(store, partition, offset):
    records = []
    for file in store.list("files/"):
        for whose, _, _, batch in store.get(file).body:
            records += [record for record in batch if whose == partition and record not in records]
    return list(enumerate(records))[offset:]
