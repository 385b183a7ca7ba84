"""What the kernel is told about every connection to a venue, so that a half-open one dies in seconds."""

from __future__ import annotations

import socket
from typing import Final, Protocol

PROBE_AFTER_S: Final = 5
"""So long without a byte, and the peer is asked whether it is there."""
PROBE_EVERY_S, PROBES = 3, 3
UNACKNOWLEDGED_MS: Final = 10_000
"""What was sent and is not acknowledged within this time ends the connection."""

Option = tuple[int, int, int]


def _options() -> tuple[Option, ...]:
    """Level, name and value of each that this system knows."""
    wanted = (
        (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), PROBE_AFTER_S),
        (("TCP_KEEPINTVL",), PROBE_EVERY_S),
        (("TCP_KEEPCNT",), PROBES),
        (("TCP_USER_TIMEOUT",), UNACKNOWLEDGED_MS),
    )
    found = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for names, value in wanted:
        known = next((name for name in names if hasattr(socket, name)), None)
        if known is not None:
            found.append((socket.IPPROTO_TCP, getattr(socket, known), value))
    return tuple(found)


OPTIONS: Final = _options()


class Tunable(Protocol):
    def setsockopt(self, level: int, name: int, value: int, /) -> None: ...


def watch_over(connection: Tunable) -> None:
    """Set them on a connection that is open already."""
    for level, name, value in OPTIONS:
        connection.setsockopt(level, name, value)
