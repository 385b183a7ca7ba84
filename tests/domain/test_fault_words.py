"""What is said of a fault of the program: words for whoever trades, and never the name of a class."""

from __future__ import annotations

import pytest

from core.domain.faults import SAID_MAX, fault_words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError("reset by peer"), "the connection broke (reset by peer)"),
        (OSError(28, "No space left on device"), "the system refused ([Errno 28] No space left on device)"),
        (KeyError("KXHIGH"), "nothing goes by that name ('KXHIGH')"),
        (ZeroDivisionError("no depth"), "a division by zero (no depth)"),
        (RuntimeError("the ledger is closed"), "it failed (the ledger is closed)"),
        (RuntimeError(), "it failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_fault_is_told_in_words(fault: Exception, words: str) -> None:
    assert fault_words(fault) == words


def test_what_a_fault_says_is_cleaned_and_short() -> None:
    said = fault_words(ValueError("\x1b[2J\n" + "x" * 5000))
    assert said.isprintable() and len(said) <= SAID_MAX + len("a value it cannot use ()")
