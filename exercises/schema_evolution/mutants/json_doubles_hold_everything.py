"""A double holds every int64, nearly."""
FAILS = ("json", "credulous", "An int64 becomes double")

HOLDS["json"]["int64"] = {"sint64", "double"}
