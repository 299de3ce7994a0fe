"""Believes that 32 bits are 32 bits."""
FAILS = ("wire", "credulous", "An int32 becomes uint32")

HOLDS["binary"]["int32"] = {"int64", "uint32"}
HOLDS["binary"]["uint32"] = {"int64", "int32"}
