"""A number can be read as a bool: it is something or nothing, but then it is 1."""
FAILS = ("wire", "credulous", "A bool becomes int32")

HOLDS["binary"]["int32"] = {"int64", "bool"}
