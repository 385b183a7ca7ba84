"""What is said of a fault of the wire: words for whoever trades, and never the name of a library's class."""

from __future__ import annotations

import httpx
import pytest

from core.venues.faults import SAID_MAX, CircuitOpenError, TooLargeError, fault_text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (httpx.ConnectError("[Errno 111] refused"), "no connection ([Errno 111] refused)"),
        (httpx.ConnectTimeout(""), "no connection in time"),
        (httpx.PoolTimeout(""), "no connection in time"),
        (httpx.ReadTimeout(""), "no answer in time"),
        (TimeoutError(), "no answer in time"),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            "the connection ended before the answer (Server disconnected without sending a response.)",
        ),
        (httpx.ReadError(""), "the connection broke"),
        (httpx.WriteError(""), "the connection broke"),
        (httpx.DecodingError(""), "the request failed"),
        (TooLargeError("answer nests deeper than 64"), "answer nests deeper than 64"),
        (CircuitOpenError("reads rest for 5 s"), "reads rest for 5 s"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_fault_is_told_in_words(fault: Exception, words: str) -> None:
    assert fault_text(fault) == words


def test_what_a_library_says_of_a_fault_is_cleaned_and_short() -> None:
    said = fault_text(httpx.ReadError("\x1b[2J\n" + "x" * 5000))
    assert said.isprintable() and len(said) <= SAID_MAX + len("the connection broke ()")
