"""A picture of verdicts: a row for each change, a column for each reader, and where a function says what is not so."""
import random

from . import changes
from .changes import retyped
from .schema import Field, Schema, Value
from .truth import BINARY, JSON, example

OLD = Schema((Field(1, "id", "string", required=True), Field(2, "customer", "string"), Field(3, "voucher", "string"),
              Field(4, "points", "int32"), Field(5, "cents", "int64"), Field(6, "status", "enum"),
              Field(7, "card", "string", oneof="payment"), Field(8, "iban", "string", oneof="payment")),
             (Value(0, "UNSPECIFIED"), Value(1, "PLACED"), Value(2, "PAID")))
CHANGES = {"a new field": changes.add, "a field less": changes.delete, "another name": changes.rename,
           "another number": changes.renumber, "numbers swapped": changes.swap, "a number used again": changes.reuse,
           "int32 to int64": retyped("int32", "int64"), "int64 to sint64": retyped("int64", "sint64"),
           "string to bytes": retyped("string", "bytes"), "required from now on": changes.require,
           "a new enum value": changes.add_value, "two into a oneof": changes.gather}
READERS = (("new reads old", BINARY), ("old reads new", BINARY), ("new reads old", JSON), ("old reads new", JSON))
FINE, CREDULOUS, CAUTIOUS = ("#EEEEEE", "#333333", ""), ("#D55E00", "white", "//"), ("#F0E442", "black", "..")


def questions() -> list[tuple[str, int, Schema, Schema, str]]:
    """Each cell of the picture: the change, the column, writer, reader and encoding."""
    news = {name: change(OLD, random.Random(5)) for name, change in CHANGES.items()}
    return [(name, column, *((OLD, new) if reader == "new reads old" else (new, OLD)), encoding)
            for name, new in news.items() for column, (reader, encoding) in enumerate(READERS)]


def verdicts(reads):
    """What a function says of twelve changes, beside what is so; printed in words too. None for a stub."""
    cells = []
    for name, column, writer, reader, encoding in questions():
        try:
            said = bool(reads(writer, reader, encoding))
        except NotImplementedError:
            print(f"{reads.__name__}: not attempted yet, nothing to draw")
            return None
        cells.append((name, column, said, not example(writer, reader, encoding)))
    wrong = [cell for cell in cells if cell[2] != cell[3]]
    finding = f"{reads.__name__}: {len(wrong)} of {len(cells)} verdicts are wrong"
    print(finding + "".join(f"\n  {name}, {' in '.join(READERS[column])}: it says {yes(said)}, and it is {yes(so)}"
                            for name, column, said, so in wrong))
    return drawn(cells, finding)


def yes(said: bool) -> str:
    return "yes" if said else "no"


def drawn(cells, finding: str):
    """The figure: what is so in each cell, coloured and hatched where the function says otherwise."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    names = list(CHANGES)
    figure, axes = plt.subplots(figsize=(8, 0.34 * len(names) + 1.5), layout="constrained")
    for name, column, said, so in cells:
        colour, ink, hatch = FINE if said == so else CREDULOUS if said else CAUTIOUS
        axes.add_patch(plt.Rectangle((column - .48, names.index(name) - .44), .96, .88, facecolor=colour, hatch=hatch,
                                     edgecolor="#999999", linewidth=.8))
        text = yes(so) if said == so else f"{yes(so)}; it says {yes(said)}"
        axes.text(column, names.index(name), text, ha="center", va="center", color=ink, fontsize=9,
                  bbox={"facecolor": colour, "edgecolor": "none", "pad": 1})
    axes.set(xlim=(-.6, len(READERS) - .4), ylim=(len(names) - .4, -.6), xticks=range(len(READERS)),
             yticks=range(len(names)), yticklabels=names)
    axes.set_xticklabels([f"{reader}\n{'bytes' if encoding == BINARY else 'JSON'}" for reader, encoding in READERS])
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9)
    looks = {"right": FINE, "says yes, and a record is misread": CREDULOUS, "says no, and all is well": CAUTIOUS}
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, hatch=hatch, edgecolor="#999999")
               for colour, _, hatch in looks.values()]
    axes.legend(handles, looks, ncols=3, loc="upper center", bbox_to_anchor=(.4, 0), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
