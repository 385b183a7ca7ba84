"""Why a range model gives no price, carried out of its steps, and the check they share."""

from __future__ import annotations

from core.models.fair_value import InputAge


class RefusedError(Exception):
    """Carries the one sentence of a ``NoPrice``."""


def check_age(age: InputAge, now_ms: int) -> None:
    """Raises ``RefusedError`` for an input beyond its limit, with its name and age."""
    if now_ms - age.event_ms > age.stale_after_s * 1000:
        raise RefusedError(
            f"{age.name} is {seconds(now_ms - age.event_ms)} s old, limit {age.stale_after_s} s"
        )


def seconds(age_ms: int) -> int:
    """Rounded up, so that what is beyond a limit reads as more than it."""
    return -(-age_ms // 1000)
