"""Never heard that some types hold all that others can say."""
FAILS = ("wire", "overcautious", "An int32 becomes int64")

HOLDS = {"binary": {}, "json": {}}
