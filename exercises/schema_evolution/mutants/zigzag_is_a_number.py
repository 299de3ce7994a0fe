"""Believes that all numbers of wire type 0 are written alike."""
FAILS = ("wire", "credulous", "An int64 becomes sint64")

HOLDS["binary"]["int64"] = {"sint64"}
