"""The course's own commands: python -m classroom lab | doctor | build | book | timetable."""
import sys
from importlib import import_module

COMMANDS = {
    "lab": "open JupyterLab on the first chapter (or the notebook you name); further options go to JupyterLab",
    "doctor": "check this machine, and say which notebook to open next",
    "build": "generate the notebooks from their Markdown sources (all, or those you name)",
    "book": "execute every chapter and lab and render them as static pages in book/",
    "timetable": "a workshop's hours, from the notebooks you name and --start HH:MM (9:00 unless you say so)",
}


def main(arguments: list[str]) -> int:
    name, *rest = arguments or ["help"]
    if name not in COMMANDS:
        rows = [f"  {command:11}{purpose}" for command, purpose in COMMANDS.items()]
        print("usage: python -m classroom COMMAND", *rows, sep="\n")
        return 0 if name in ("help", "-h", "--help") else 2
    if name != "lab" and {"-h", "--help"} & set(rest):  # those of lab are JupyterLab's
        print(f"python -m classroom {name}: {COMMANDS[name]}")
        return 0
    return import_module(f"classroom.{name}").main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
