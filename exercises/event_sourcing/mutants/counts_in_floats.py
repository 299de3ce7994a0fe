"""Goes through a float: 0.29 becomes 28 cents."""
FAILS = ("upcast", "meaning", "amount")


def upcast(type, schema, data):
    if schema == 1 and type == "opened":
        data = {"owner": data["name"]}
    if schema == 1 and type in ("deposited", "withdrawn"):
        data = {"cents": int(float(data["amount"]) * 100)}
    if schema <= 2 and type in ("deposited", "withdrawn"):
        data = {**data, "channel": "unknown"}
    return data
