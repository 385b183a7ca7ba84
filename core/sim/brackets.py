"""Brackets of whole degrees: the six of a day's ladder, and how tickers, titles and strikes have them."""

from __future__ import annotations

from typing import Any

import msgspec


class Bracket(msgspec.Struct, frozen=True):
    """Whole degrees that pay YES, both ends included; ``None`` is an open end."""

    low_f: int | None
    high_f: int | None

    def pays(self, observed_f: int) -> bool:
        return (self.low_f is None or observed_f >= self.low_f) and (
            self.high_f is None or observed_f <= self.high_f
        )


def six(cap: int) -> tuple[Bracket, ...]:
    """A ladder whose lower tail lies below ``cap``, coldest first."""
    middle = [Bracket(low, low + 1) for low in range(cap, cap + 8, 2)]
    return (Bracket(None, cap - 1), *middle, Bracket(cap + 8, None))


def suffix(bracket: Bracket) -> str:
    if bracket.low_f is None:
        assert bracket.high_f is not None
        return f"T{bracket.high_f + 1}"
    return f"T{bracket.low_f - 1}" if bracket.high_f is None else f"B{bracket.low_f}.5"


def words(bracket: Bracket) -> str:
    if bracket.low_f is None:
        return f"{bracket.high_f}° or below"
    return (
        f"{bracket.low_f}° or above" if bracket.high_f is None else f"{bracket.low_f}° to {bracket.high_f}°"
    )


def strike(bracket: Bracket) -> dict[str, Any]:
    """Strike fields; the tails are strict, so their numbers lie one degree outside what pays."""
    if bracket.low_f is None:
        assert bracket.high_f is not None
        return {"strike_type": "less", "cap_strike": bracket.high_f + 1}
    if bracket.high_f is None:
        return {"strike_type": "greater", "floor_strike": bracket.low_f - 1}
    return {"strike_type": "between", "floor_strike": bracket.low_f, "cap_strike": bracket.high_f}
