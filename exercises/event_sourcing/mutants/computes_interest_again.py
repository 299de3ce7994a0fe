"""Computes the interest from today's rate instead of reading what was paid."""
FAILS = ("evolve", "meaning", "interest")

RATE = 0.02

def evolve(state, type, data):
    if type == "interest":
        return {**state, "balance": state["balance"] + round(state["balance"] * RATE)}
    if type == "opened":
        return {"owner": data["owner"], "balance": 0, "withdrawals": 0}
    if type == "renamed":
        return {**state, "owner": data["owner"]}
    if type in ("deposited", "interest"):
        return {**state, "balance": state["balance"] + data["cents"]}
    if type == "withdrawn":
        return {**state, "balance": state["balance"] - data["cents"], "withdrawals": state["withdrawals"] + 1}
    raise UnknownEvent(type)
