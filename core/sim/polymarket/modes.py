"""Whether the matching engine takes orders: restarts, the post-only minutes after them, cancel-only.

Polymarket docs: matching engine, error codes. The body of a 425 is not documented; ours is our own.
"""

from __future__ import annotations

from enum import Enum

import msgspec

POST_ONLY_MS = 120_000
"""How long only post-only orders are taken after a restart."""


class Mode(Enum):
    NORMAL = "normal"
    RESTARTING = "restarting"
    POST_ONLY = "post-only"
    CANCEL_ONLY = "cancel-only"
    DISABLED = "disabled"


class Closed(msgspec.Struct, frozen=True):
    """Why a request about orders is not taken now."""

    http: int
    text: str
    code: str = ""
    retry_after_s: int | None = None


class Engine:
    """The mode now. A restart passes through post-only by itself; the others last until they are ended."""

    def __init__(self) -> None:
        self._set = Mode.NORMAL
        self._back_ms = self._normal_ms = 0

    def restart(self, now_ms: int, down_ms: int, post_only_ms: int = POST_ONLY_MS) -> None:
        self._back_ms = now_ms + down_ms
        self._normal_ms = self._back_ms + post_only_ms

    def enter(self, mode: Mode) -> None:
        """Cancel-only, disabled, or normal again; ends a restart too."""
        self._set, self._back_ms, self._normal_ms = mode, 0, 0

    def mode(self, now_ms: int) -> Mode:
        if now_ms < self._back_ms:
            return Mode.RESTARTING
        return Mode.POST_ONLY if now_ms < self._normal_ms else self._set

    def refusal(self, now_ms: int, *, cancels: bool, post_only: bool = False) -> Closed | None:
        """Why an order (or a cancel) is not taken now, if it is not."""
        match self.mode(now_ms):
            case Mode.RESTARTING:
                return Closed(425, "engine is restarting", retry_after_s=_seconds(self._back_ms - now_ms))
            case Mode.DISABLED:
                return Closed(503, "Trading is currently disabled. Check polymarket.com for updates")
            case Mode.CANCEL_ONLY if not cancels:
                return Closed(
                    503,
                    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.",
                )
            case Mode.POST_ONLY if not cancels and not post_only:
                return Closed(
                    503,
                    "post-only mode: only post-only orders and cancels are allowed",
                    "post_only_mode",
                    _seconds(self._normal_ms - now_ms),
                )
        return None


def _seconds(ms: int) -> int:
    return -(-ms // 1000)
