"""Tables with text in them, shown so that it can be read: everything begins at the left."""

from __future__ import annotations

LEFT = {"text-align": "left", "vertical-align": "top"}


def left(frame):
    """A data frame whose cells and headings begin at the left."""
    styles = [{"selector": "th", "props": list(LEFT.items())}]
    return frame.style.set_properties(**LEFT).set_table_styles(styles)
