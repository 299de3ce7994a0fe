"""Takes what is compatible in one direction for compatible in both, as the most lenient rules of tools do."""
FAILS = ("wire", "credulous", "An int32 becomes int64")

HOLDS["binary"]["int64"] = {"int32"}
