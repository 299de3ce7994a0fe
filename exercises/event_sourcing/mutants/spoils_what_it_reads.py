"""Rewrites the dictionary it was given."""
FAILS = ("upcast", "spoiled", "changed its own arguments")


def upcast(type, schema, data):
    if schema == 1 and type == "opened":
        data["owner"] = data.pop("name")
    if schema == 1 and type in ("deposited", "withdrawn"):
        units, cents = data.pop("amount").split(".")
        data["cents"] = 100 * int(units) + int(cents)
    if schema <= 2 and type in ("deposited", "withdrawn"):
        data["channel"] = "unknown"
    return data
