"""Text from outside made safe to show: bounded, one line, no controls."""

from __future__ import annotations

import re
import unicodedata

TITLE_CHARS_MAX = 200

SENTENCE_CHARS_MAX = 160
_END = re.compile(r"(?<=[.!?])\s+|\n")

SPACES = frozenset({"Zs", "Zl", "Zp"})
"""Unicode categories that are white space."""
WHITE = "\t\n\r\v\f"
"""Controls that are white space too."""
DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
"""Controls, invisible formats (bidi overrides, zero-width, tags), surrogates, private and unassigned code
points, and marks that stay on their own after NFC: terminals draw those somewhere else, or not at all."""


def clean_text(text: str, chars_max: int = TITLE_CHARS_MAX) -> str:
    """``text`` in NFC on one line, without control, bidi or invisible characters, at most ``chars_max`` long.

    White space of every kind becomes single spaces; a cut text ends in an ellipsis. Work is bounded by
    ``chars_max``, not by the length of the input.
    """
    window = text[: chars_max * 8]
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", window):
        category = unicodedata.category(char)
        if category in SPACES or char in WHITE:
            kept.append(" ")
        elif category not in DROPPED:
            kept.append(char)
    line = " ".join("".join(kept).split())
    cut = len(line) > chars_max or len(text) > len(window)
    return line[: chars_max - 1].rstrip() + "…" if cut else line


def quoted(text: str, at: int) -> str:
    """``: "..."`` with the sentence that holds a place of a text, cleaned; empty where there is none."""
    begin = max((match.end() for match in _END.finditer(text) if match.end() <= at), default=0)
    sentence = clean_text(_END.split(text[begin:], maxsplit=1)[0], SENTENCE_CHARS_MAX)
    return f': "{sentence}"' if sentence else ""


def quoted_difference(before: str, now: str) -> str:
    """``: "..."`` with the first sentence that one of two texts has and the other has not, the newer one's
    first; empty where none differs."""
    old, new = _END.split(before), _END.split(now)
    other = next((one for one in new if one not in old), None)
    gone = next((one for one in old if one not in new), None)
    if other is not None:
        return quoted(other, 0)
    return f" without{quoted(gone, 0)}" if gone is not None else ""
