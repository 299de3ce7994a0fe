"""Takes one step and stops: events of schema 1 arrive in schema 2."""
FAILS = ("upcast", "meaning", "gave {'cents': 115};")


def upcast(type, schema, data):
    if schema == 1 and type == "opened":
        data = {"owner": data["name"]}
    if schema == 1 and type in ("deposited", "withdrawn"):
        data = {"cents": round(float(data["amount"]) * 100)}
    elif schema == 2 and type in ("deposited", "withdrawn"):
        data = {**data, "channel": "unknown"}
    return data
