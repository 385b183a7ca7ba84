"""What can go wrong between us and a venue before it has answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx

from core.domain.text import clean_text
from core.venues.retry import Trouble

SAID_MAX = 120


class TooLargeError(Exception):
    """The body is larger or nests deeper than any answer; it is of no use."""


class CircuitOpenError(Exception):
    """Calls of this class have failed too often just now: nothing was sent."""


WIRE_FAULTS: Final = (httpx.HTTPError, TimeoutError, TooLargeError, CircuitOpenError)
"""What ``Http.send`` raises."""
UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def trouble_of_fault(error: Exception) -> Trouble:
    """Which column of the retry table a transport fault is."""
    if isinstance(error, TooLargeError):
        return Trouble.UNREADABLE
    return Trouble.UNSENT if isinstance(error, UNSENT) else Trouble.UNANSWERED


_WORDS: Final = (
    ((httpx.ConnectTimeout, httpx.PoolTimeout), "no connection in time"),
    ((httpx.ConnectError, httpx.ProxyError), "no connection"),
    ((httpx.TimeoutException, TimeoutError), "no answer in time"),
    ((httpx.RemoteProtocolError,), "the connection ended before the answer"),
    ((httpx.NetworkError,), "the connection broke"),
)
"""What a fault means; the first that it is an instance of."""


def fault_text(error: Exception, hidden: Callable[[str], str] = str) -> str:
    """A transport fault in a few words for whoever trades, and what the library said of it, if anything.

    ``hidden`` blanks in that what nobody may read, before it is cut.
    """
    if isinstance(error, CircuitOpenError | TooLargeError):
        return str(error)
    words = next((words for kinds, words in _WORDS if isinstance(error, kinds)), "the request failed")
    said = clean_text(hidden(str(error)), SAID_MAX)
    return f"{words} ({said})" if said else words
