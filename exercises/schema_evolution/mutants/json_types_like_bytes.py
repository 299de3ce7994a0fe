"""The same table of types for both encodings."""
FAILS = ("json", "overcautious", "An int64 becomes sint64")

HOLDS["json"] = HOLDS["binary"]
