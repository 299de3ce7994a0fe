"""The house stands: imports run one way, only one room knows SimPy, and no model can be undone by chance.

The rules are those of the design: the kernel, the evidence, the workload and the theory know nothing above them; checks
and figures never import a broker; labs and exercises build on evidence, and exercises may simulate what a learner asks
for, by the front door. Every import counts, also one inside a function; only for circles those inside functions and
under TYPE_CHECKING do not, since they are not made while a module loads.
"""
import ast
from functools import cache
from pathlib import Path
from statistics import median

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]

# room: the rooms that it may import, besides its own. The longest prefix of a module's name is its room.
FLOORS = {
    "simulator.kernel": {"simulator.evidence"},
    "simulator.evidence": set(),
    "simulator.theory": set(),
    "simulator.workload": {"simulator.kernel"},
    "simulator.brokers": {"simulator.kernel", "simulator.evidence", "simulator.workload"},
    # beside the brokers: a pattern must hold on any of them
    "simulator.patterns": {"simulator.kernel", "simulator.evidence", "simulator.workload"},
    "simulator.views": {"simulator.evidence", "simulator.theory"},
    "simulator.run": {"simulator.kernel", "simulator.evidence", "simulator.workload", "simulator.views"},
    "simulator.experiment": {"simulator.kernel", "simulator.workload", "simulator.run"},
    "simulator": {"simulator.kernel", "simulator.brokers", "simulator.patterns", "simulator.workload",
                  "simulator.theory", "simulator.experiment"},
    # it predicts, then measures
    "labs": {"simulator", "simulator.brokers", "simulator.evidence", "simulator.views", "simulator.theory",
             # what a lab assembles from a real store's parts, it assembles from the model's store too
             "simulator.kernel",
             "exercises"},  # whose services and rules judge a real engine too
    "classroom": {"simulator", "simulator.experiment", "simulator.run", "simulator.views"},
    # a failing run is shown as a film
    "exercises": {"simulator", "simulator.evidence", "simulator.views", "classroom"},
}
ON_THE_GROUND = {"numpy", "scipy", "simpy"}  # all that `import simulator` needs
LONGEST_LINE, LONGEST_MODULE, TYPICAL_FUNCTION = 120, 460, 8


def sources() -> dict[str, Path]:
    """Every module of the course: name -> file."""
    files = [(path, path.relative_to(ROOT)) for room in ("simulator", "labs", "exercises")
             for path in (ROOT / room).rglob("*.py")]
    files += [(path, path.relative_to(ROOT / "chapters")) for path in (ROOT / "chapters" / "classroom").rglob("*.py")
              if path.parent.name != "jupyter"]  # settings that Jupyter runs, not modules
    return {".".join(name.with_suffix("").parts).removesuffix(".__init__"): path for path, name in sorted(files)}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(name: str, path: Path, while_loading: bool = False) -> set[str]:
    """The full names that a module imports; `while_loading` leaves out those in functions and under TYPE_CHECKING."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _loaded(tree(path)) if while_loading else ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[:len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (base, node.module) if part)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def _loaded(node: ast.AST):
    """The nodes that run while a module loads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _loaded(child)


def module_of(full_name: str, modules) -> str | None:
    """The module of the course that an imported name belongs to: `simulator.theory` for `simulator.theory.mm1`."""
    while full_name and full_name not in modules:
        full_name = full_name.rpartition(".")[0]
    return full_name or None


def room(module: str) -> str:
    return max((r for r in FLOORS if module == r or module.startswith(r + ".")), key=len)


MODULES = sources()
EVERY_MODULE = pytest.mark.parametrize("name", MODULES)


@cache
def edges(while_loading: bool = False) -> set[tuple[str, str]]:
    """Who imports whom, by module, within the course."""
    pairs = ((name, module_of(target, MODULES)) for name, path in MODULES.items()
             for target in imports(name, path, while_loading))
    return {(name, target) for name, target in pairs if target and target != name}


# Floors

@EVERY_MODULE
def test_imports_run_one_way(name):
    wrong = {target for source, target in edges() if source == name
             and room(target) not in FLOORS[room(name)] | {room(name)}}
    assert not wrong, f"{name} ({room(name)}) must not import {', '.join(sorted(wrong))}"


# Kafka's protocol, so that Kafka's own clients talk to it: the messages and the clients are Kafka's
SPEAKS = {"redpanda": {"kafka"},
          # the same engine: buffer, file, PUT, commit; what is its own is a schema and a database
          "bufstream": {"warpstream"}}


def test_no_broker_imports_another_whose_protocol_it_does_not_speak():
    """One package a system: whatever two share lies beside them, in a module of `brokers` itself."""
    def system(module):
        parts = module.split(".")
        if module.startswith("simulator.brokers.") and (ROOT / "simulator" / "brokers" / parts[2]).is_dir():
            return parts[2]
    assert not [(a, b) for a, b in edges() if system(a) and system(b)
                and system(b) not in SPEAKS.get(system(a), set()) | {system(a)}]


def test_no_module_waits_for_itself():
    graph = nx.DiGraph((a, b) for a, b in edges(while_loading=True) if not a.startswith(b + "."))
    assert list(nx.simple_cycles(graph)) == []


def test_only_the_kernel_knows_simpy():
    assert {name for name, path in MODULES.items()
            if any(target.split(".")[0] == "simpy" for target in imports(name, path))} == {
        "simulator.kernel.world"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("simulator")])
def test_the_simulator_loads_with_three_packages(name):
    """Figures may need more, but only when somebody draws one."""
    if room(name) == "simulator.views":
        return
    import sys
    outside = {target.split(".")[0] for target in imports(name, MODULES[name], while_loading=True)}
    assert outside <= ON_THE_GROUND | set(sys.stdlib_module_names) | {"simulator"}


# Size

@pytest.mark.parametrize("top", ["simulator", "labs", "exercises", "chapters", "tests"])
def test_code_fits_on_a_screen(top):
    long = []
    for path in sorted((ROOT / top).rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        long += [f"{path.relative_to(ROOT)} has {len(lines)} lines"] * (len(lines) > LONGEST_MODULE)
        long += [f"{path.relative_to(ROOT)}:{number} has {len(line)} characters"
                 for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not long, f"a line has at most {LONGEST_LINE} characters, a module {LONGEST_MODULE} lines: {'; '.join(long)}"


@pytest.mark.parametrize("top", ["simulator", "labs", "exercises", "classroom"])
def test_functions_are_short(top):
    lengths = [_length(node) for name, path in MODULES.items() if name.split(".")[0] == top
               for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    assert median(lengths) <= TYPICAL_FUNCTION


def _length(function: ast.FunctionDef) -> int:
    """Lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@EVERY_MODULE
def test_a_module_says_what_it_is(name):
    assert ast.get_docstring(tree(MODULES[name])) or not tree(MODULES[name]).body


# Chance: nothing but the named streams may decide anything in a run

MODELS = [name for name in MODULES
          if room(name) in ("simulator.kernel", "simulator.brokers", "simulator.patterns", "simulator.workload")]
BANNED_IMPORTS = {"random", "time", "datetime", "secrets", "uuid", "os", "threading", "asyncio"}
BANNED_CALLS = {"hash", "id"}


@pytest.mark.parametrize("name", MODELS)
def test_no_model_asks_a_clock_or_a_global_generator(name):
    module = tree(MODULES[name])
    outside = {target.split(".")[0] for target in imports(name, MODULES[name])}
    assert not outside & BANNED_IMPORTS
    attributes = {ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    global_streams = {a for a in attributes if a.startswith(("np.random", "numpy.random"))}
    assert name == "simulator.kernel.streams" or not global_streams
    calls = {node.func.id for node in ast.walk(module) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name)}
    assert not calls & BANNED_CALLS, "addresses and hashes differ from run to run"


@pytest.mark.parametrize("name", MODELS)
def test_no_model_depends_on_the_order_of_a_set(name):
    found = iterated_sets(tree(MODULES[name]))
    assert not found, f"{name}: {'; '.join(found)}"


IN_ORDER = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed", "next", "array", "fromiter",
            "join", "extend"}
ORDER_FREE = {"sorted", "any", "all", "len", "set", "frozenset"}


def iterated_sets(module: ast.AST) -> list[str]:
    """Where a set is gone through in its own order: loops, comprehensions, and calls that keep the order given.

    What is certainly a set: a literal, a comprehension, set(...), frozenset(...), what set operators make of one, and
    every name that is given one of these, or annotated as one, anywhere in the module. `sorted`, `len`, `in`, `any` and
    the like are welcome to them.
    """
    everything = list(ast.walk(module))
    names = {ast.unparse(target) for node in everything for target in _targets(node)}

    def is_set(node) -> bool:
        if isinstance(node, (ast.Set, ast.SetComp)):
            return True
        if isinstance(node, ast.Call):
            return ast.unparse(node.func) in ("set", "frozenset")
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)):
            return is_set(node.left) or is_set(node.right)
        return isinstance(node, (ast.Name, ast.Attribute)) and ast.unparse(node) in names

    def gone_through(node):
        if isinstance(node, (ast.For, ast.comprehension)):
            return [node.iter]
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IN_ORDER:
            return node.args
        if isinstance(node, ast.Starred):
            return [node.value]
        return []
    welcome = {id(part) for node in everything for part in _order_free(node)}
    return [f"line {part.lineno}: {ast.unparse(part)}" for node in everything if id(node) not in welcome
            for part in gone_through(node) if is_set(part)]


def _order_free(node):
    """The loops whose order cannot be seen: in a set comprehension, or inside sorted(...) and its like."""
    if isinstance(node, ast.SetComp):
        return node.generators
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ORDER_FREE:
        return [loop for argument in node.args if isinstance(argument, ast.GeneratorExp)
                for loop in argument.generators]
    return []


def _targets(node):
    """The names that a statement makes sets of."""
    made = (ast.Set, ast.SetComp)
    if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation:
        if ast.unparse(node.annotation).startswith(("set", "frozenset")):
            yield node.target if isinstance(node, ast.AnnAssign) else ast.Name(node.arg)
    elif isinstance(node, ast.Assign) and (isinstance(node.value, made) or isinstance(node.value, ast.Call)
                                           and ast.unparse(node.value.func) in ("set", "frozenset")):
        yield from node.targets


@pytest.mark.parametrize("code, caught", [
    ("for x in {1, 2}: f(x)", True), ("for x in sorted({1, 2}): f(x)", False), ("[x for x in set(y)]", True),
    ("{x for x in set(y)}", False), ("sorted(x for x in set(y))", False), ("list(set(y))", True),
    ("len(set(y))", False), ("s = set()\nfor x in s: f(x)", True),
    ("self.s: set[int] = f()\nfor x in self.s: f(x)", True), ("for x in set(a) - b: f(x)", True),
    ("def f(s: frozenset[str]): return [*s]", True), ("d = {}\nfor x in d: f(x)", False), ("x in {1, 2}", False),
    ("next(iter({1, 2}))", True), ("', '.join(names)", False), ("', '.join(set(names))", True), ("f(*{1, 2})", True),
])
def test_the_rule_about_sets_catches_what_it_should(code, caught):
    assert bool(iterated_sets(ast.parse(code))) == caught


@pytest.mark.parametrize("code, target, loaded", [
    ("from .network import Rule", "simulator.kernel.network.Rule", True),
    ("from ..evidence import table", "simulator.evidence.table", True), ("import numpy as np", "numpy", True),
    ("def f():\n    import pandas", "pandas", False),
    ("if TYPE_CHECKING:\n    from .world import World", "simulator.kernel.world.World", False),
    ("try:\n    import resource\nexcept ImportError:\n    pass", "resource", True),
])
def test_imports_are_read_as_python_reads_them(tmp_path, code, target, loaded):
    path = tmp_path / "faults.py"
    path.write_text(code)
    assert imports("simulator.kernel.faults", path) == {target}
    assert imports("simulator.kernel.faults", path, while_loading=True) == ({target} if loaded else set())
