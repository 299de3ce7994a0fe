"""An enum is an enum, though on the wire it is an int32."""
FAILS = ("values", "overcautious", "The enum's field becomes an int32")

del HOLDS["binary"]["enum"]
