"""Changes the state in place: a snapshot or a cache that holds it changes too."""
FAILS = ("evolve", "spoiled", "changed its own arguments")


def evolve(state, type, data):
    if type == "opened":
        return {"owner": data["owner"], "balance": 0, "withdrawals": 0}
    if type == "renamed":
        state["owner"] = data["owner"]
    elif type in ("deposited", "interest"):
        state["balance"] += data["cents"]
    elif type == "withdrawn":
        state["balance"] -= data["cents"]
        state["withdrawals"] += 1
    else:
        raise UnknownEvent(type)
    return state
