"""Append-only tables of packed rows, and the names their integer codes stand for.

Evidence is written once per batch or message, millions of times in a long run, and read as whole columns afterwards. A
row is packed into bytes when it is appended (a third of a microsecond, no object kept alive) and read back as a NumPy
record array.
"""

from __future__ import annotations

from struct import Struct

import numpy as np


class Names:
    """A two-way list of names: the code of a name is its position."""

    def __init__(self, *names: str):
        self.names: list[str] = []
        self._codes: dict[str, int] = {}
        for name in names:
            self.code(name)

    def code(self, name: str) -> int:
        """The code of a name, given out at first use."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self.names)
            self.names.append(name)
        return code

    def __getitem__(self, code: int) -> str:
        return self.names[code] if code >= 0 else ""

    def __contains__(self, name: str) -> bool:
        return name in self._codes

    def __iter__(self):
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Table:
    """Rows of fixed columns, appended one at a time, read as a NumPy record array.

    `columns` maps a column's name to its struct code: q (int64), i (int32), h (int16), b (int8) or d (float64).
    """

    def __init__(self, **columns: str):
        self._columns = columns
        self.dtype = np.dtype([(name, "<" + {"d": "f8", "q": "i8", "i": "i4", "h": "i2", "b": "i1"}[code])
                               for name, code in columns.items()])
        self._bytes = bytearray()
        self._rows: np.ndarray | None = None
        self.pack, self.extend = Struct("<" + "".join(columns.values())).pack, self._bytes.extend
        self.append = self._appender()

    def _appender(self):
        """A function that adds a row, values in the columns' order (a closure: half the price of a method)."""
        pack, extend = self.pack, self.extend

        def append(*row) -> None:
            extend(pack(*row))
        return append

    @property
    def rows(self) -> np.ndarray:
        """All rows as one record array (a copy, made again only after an append)."""
        if self._rows is None or len(self._rows) != len(self):
            self._rows = np.frombuffer(bytes(self._bytes), dtype=self.dtype)
        return self._rows

    def __len__(self) -> int:
        return len(self._bytes) // self.dtype.itemsize

    def __getstate__(self):
        return self._columns, bytes(self._bytes)

    def __setstate__(self, state):
        self.__init__(**state[0])
        self._bytes += state[1]
