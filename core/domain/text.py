"""Text from outside made safe to show: bounded, one line, no controls."""

from __future__ import annotations

import unicodedata

TITLE_CHARS_MAX = 200

_SPACES = frozenset({"Zs", "Zl", "Zp"})
# Controls, invisible formats (bidi overrides, zero-width, tags), surrogates, private and unassigned code
# points, and marks that stay on their own after NFC: terminals draw those in surprising places or not at all.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})


def clean_text(text: str, chars_max: int = TITLE_CHARS_MAX) -> str:
    """``text`` in NFC on one line, without control, bidi or invisible characters, at most ``chars_max`` long.

    White space of every kind becomes single spaces; a cut text ends in an ellipsis. Work is bounded by
    ``chars_max``, not by the length of the input.
    """
    window = text[: chars_max * 8]
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", window):
        category = unicodedata.category(char)
        if category in _SPACES or char in "\t\n\r\v\f":
            kept.append(" ")
        elif category not in _DROPPED:
            kept.append(char)
    line = " ".join("".join(kept).split())
    cut = len(line) > chars_max or len(text) > len(window)
    return line[: chars_max - 1].rstrip() + "…" if cut else line
