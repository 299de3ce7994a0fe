"""Writes the time of the fold into the state: every replay gives another one."""
FAILS = ("evolve", "meaning", "as_of")

import time



def evolve(state, type, data):
    if type == "opened":
        return {"owner": data["owner"], "balance": 0, "withdrawals": 0, "as_of": time.time()}
    if type == "renamed":
        return {**state, "owner": data["owner"]}
    if type in ("deposited", "interest"):
        return {**state, "balance": state["balance"] + data["cents"]}
    if type == "withdrawn":
        return {**state, "balance": state["balance"] - data["cents"], "withdrawals": state["withdrawals"] + 1}
    raise UnknownEvent(type)
