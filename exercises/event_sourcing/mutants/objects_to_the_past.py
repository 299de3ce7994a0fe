"""Checks today's rule while it folds: a history that broke it can no longer be read."""
FAILS = ("evolve", "error", "Overdrawn")


class Overdrawn(Exception):
    pass



def evolve(state, type, data):
    if type == "withdrawn" and state["balance"] < data["cents"]:
        raise Overdrawn("not enough money")
    if type == "opened":
        return {"owner": data["owner"], "balance": 0, "withdrawals": 0}
    if type == "renamed":
        return {**state, "owner": data["owner"]}
    if type in ("deposited", "interest"):
        return {**state, "balance": state["balance"] + data["cents"]}
    if type == "withdrawn":
        return {**state, "balance": state["balance"] - data["cents"], "withdrawals": state["withdrawals"] + 1}
    raise UnknownEvent(type)
