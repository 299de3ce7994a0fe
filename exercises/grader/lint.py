"""Flags code that reaches for the machinery around it. A flag costs no points; it asks a person to look."""
import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

SUSPECT = {
    "get_ipython": "talks to IPython itself", "input_transformers_cleanup": "rewrites cells before they run",
    "input_transformers_post": "rewrites cells before they run", "ast_transformers": "rewrites cells before they run",
    "builtins": "reaches for built-ins", "__builtins__": "reaches for built-ins", "_exit": "ends the process at once",
    "getppid": "looks for the process that started it", "modules": "reaches into the table of modules",
    "settrace": "traces execution", "__eq__": "defines its own equality", "_getframe": "reads other functions' frames",
    "stack": "reads other functions' frames", "gc": "searches the memory for objects", "ctypes": "works on raw memory",
    "source.md": "names the file with the solutions", "mutants": "names the course's own answers",
    "alternatives": "names the course's own answers",
}
OPEN_TO_LEARNERS = {"Event", "NotConfirmed", "Order", "Plan", "Refused", "check", "perform", "picture"}


def flags(nb: NotebookNode) -> list[str]:
    """What deserves a look, each once, in the order of the cells."""
    found = [flag for cell in nb.cells if cell.cell_type == "code" for flag in flags_in(cell.source)]
    return list(dict.fromkeys(found))


def flags_in(source: str) -> Iterator[str]:
    """Flags of one cell; lines for IPython are set aside first, because they are no Python."""
    python = re.sub(r"(?m)^\s*[%!?].*$", "", source)
    if re.search(r"(?m)^\s*!|^\s*%%?(bash|sh|system|script)\b", source):
        yield "runs a shell command"
    try:
        nodes = list(ast.walk(ast.parse(python)))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in nodes:
        yield from (f"{name}: {SUSPECT[name]}" for name in names(node) if name in SUSPECT)
        if isinstance(node, (ast.Assign, ast.Delete)) and patches_module(node):
            yield "replaces something inside a module of the course"


def names(node: ast.AST) -> list[str]:
    """The names that one node of the syntax tree brings in."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        modules = (getattr(node, "module", "") or "").split(".")
        return [*modules, *(part for alias in node.names for part in alias.name.split("."))]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
        return re.findall(r"source\.md|mutants|alternatives", node.value)
    return []


def patches_module(node) -> bool:
    """Whether an assignment goes to an attribute of something the exercise handed out."""
    targets = node.targets
    roots = [target.value for target in targets if isinstance(target, ast.Attribute)]
    return any(isinstance(root, ast.Name) and root.id in OPEN_TO_LEARNERS for root in roots)
