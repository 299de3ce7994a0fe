"""Bytes can be read as a text, as long as nobody puts something else into them."""
FAILS = ("wire", "credulous", "A string becomes bytes")

HOLDS["binary"]["bytes"] = {"string"}
