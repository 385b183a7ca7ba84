"""A fault of the program in words for whoever trades. Its class and its places are for the log."""

from __future__ import annotations

from typing import Final

from core.domain.text import clean_text

SAID_MAX = 120

_WORDS: Final = (
    ((TimeoutError,), "no answer in time"),
    ((ConnectionError,), "the connection broke"),
    ((OSError,), "the system refused"),
    ((KeyError,), "nothing goes by that name"),
    ((IndexError,), "a place beyond the end"),
    ((ZeroDivisionError,), "a division by zero"),
    ((OverflowError,), "a number too large"),
    ((MemoryError,), "no memory left"),
    ((TypeError, AttributeError), "a value of the wrong kind"),
    ((ValueError,), "a value it cannot use"),
)
"""What a fault means; the first that it is an instance of."""


def fault_words(fault: BaseException) -> str:
    """What happened in a few words, and what the fault itself says, if anything, cleaned and cut."""
    words = next((words for kinds, words in _WORDS if isinstance(fault, kinds)), "it failed")
    said = clean_text(str(fault), SAID_MAX)
    return f"{words} ({said})" if said else words
