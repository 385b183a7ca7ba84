"""What came in, as it came: every body and frame with its times, so that a decision can be replayed.

A key that rides in an address or a header is taken out before anything is handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec


class Recorded(msgspec.Struct, frozen=True):
    """One answer or frame of a source. The body is as it was received, but for a key it may repeat."""

    feed: str
    what: str
    """The address without the key, or the stream's."""
    status: int
    """Of the answer; 0 for a frame."""
    headers: Mapping[str, str]
    received_wall_ms: int
    received_ns: int
    world_ms: int
    body: bytes


Recorder = Callable[[Recorded], None]
"""Called in the feed's loop step; must not block."""


def unrecorded(_: Recorded) -> None:
    """The recorder of a desk that keeps nothing."""
