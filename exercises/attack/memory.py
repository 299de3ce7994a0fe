"""What a restart forgets: functions with the memory they had when the notebook defined them.

A crash inside one Python process would leave global variables alive, and a program that remembers "already seen" in a
set would look correct. So a restarted program gets its own copy of everything its functions can name.
"""
import copy
import types


def restarted(functions: dict) -> dict:
    """The same functions as a newly started process would have them, sharing no memory with any other start."""
    copies: dict[int, object] = {}
    return {name: reborn(function, function.__module__, copies) for name, function in functions.items()}


def reborn(value, home: str, copies: dict):
    """`value` with a memory of its own: functions of the module `home` are rebuilt, data is copied, libraries stay."""
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, types.FunctionType) and value.__module__ == home:
        return rebuilt(value, home, copies)
    if isinstance(value, types.ModuleType) or (callable(value) and type(value).__module__ != home):
        return value
    return copies.setdefault(id(value), copied(value))


def rebuilt(function: types.FunctionType, home: str, copies: dict) -> types.FunctionType:
    """The function on globals, defaults and closure of its own."""
    # The shell is registered before it is filled, because a function may name itself.
    namespace = {"__builtins__": function.__builtins__, "__name__": home}
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    new = types.FunctionType(function.__code__, namespace, function.__name__, copied(function.__defaults__), cells)
    copies[id(function)] = new
    new.__module__, new.__kwdefaults__ = home, copied(function.__kwdefaults__)
    vars(new).update(copied(vars(function)))
    for old, cell in zip(function.__closure__ or (), cells):
        cell.cell_contents = reborn(old.cell_contents, home, copies)
    for name in names_in(function.__code__) & function.__globals__.keys():
        namespace[name] = reborn(function.__globals__[name], home, copies)
    return new


def copied(value):
    """A deep copy; the value itself if it refuses (an open file, a lock: not the memory one keeps by accident)."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def names_in(code: types.CodeType) -> set[str]:
    """Every name that a code object, or a function defined inside it, looks up."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*(names_in(each) for each in inner))
