"""What can go wrong between us and a venue before it has answered."""

from __future__ import annotations

from typing import Final

import httpx

from core.venues.retry import Trouble


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


def fault_text(error: Exception) -> str:
    """A transport fault in a few words; the library's text may be empty."""
    if isinstance(error, CircuitOpenError):
        return str(error)
    text = str(error)[:120]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
