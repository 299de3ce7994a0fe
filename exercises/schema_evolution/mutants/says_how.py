"""Returns advice."""
FAILS = ("repair", "no_schema", "not a Schema")


def repair(past, new):
    return [f"reserve {field.number}" for field in new.fields]
