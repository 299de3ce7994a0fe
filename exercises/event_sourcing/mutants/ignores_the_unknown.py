"""Skips events that it does not know, and decides on the rest."""
FAILS = ("evolve", "meaning", "frozen")


def evolve(state, type, data):
    if type == "opened":
        return {"owner": data["owner"], "balance": 0, "withdrawals": 0}
    if type == "renamed":
        return {**state, "owner": data["owner"]}
    if type in ("deposited", "interest"):
        return {**state, "balance": state["balance"] + data["cents"]}
    if type == "withdrawn":
        return {**state, "balance": state["balance"] - data["cents"], "withdrawals": state["withdrawals"] + 1}
    return state
