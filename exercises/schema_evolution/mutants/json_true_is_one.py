"""In JSON, true is not 1."""
FAILS = ("json", "credulous", "A bool becomes int32")

HOLDS["json"]["bool"] = {"int32", "int64"}
