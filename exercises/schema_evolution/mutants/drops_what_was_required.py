"""Drops what the new schema drops, whoever requires it."""
FAILS = ("repair", "breaks", "The required id becomes a number")


def repair(past, new):
    was = {field.means: field for old in past for field in old.fields}
    taken = {each for old in past for field in old.fields for each in (field.number, field.name)}
    taken |= {each for old in past for each in old.reserved}
    wanted = {field.means for field in new.fields}
    fields = [field for field in was.values() if field.means in wanted]
    number = max(each for each in taken if isinstance(each, int))
    for field in new.fields:
        if field.means not in was:
            number += 1
            name = field.name if field.name not in taken else f"{field.name}_{number}"
            fields.append(Field(number, name, field.type, field.means))
    used = {each for field in fields for each in (field.number, field.name)}
    return Schema(fields, new.values, taken - used)
