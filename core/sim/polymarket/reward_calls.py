"""Lists that are always empty here: rewards and rebates nobody has earned, orders of a former venue."""

from __future__ import annotations

from core.sim.polymarket.call import Answer, Call


def page(call: Call) -> Answer:
    """A list in pages."""
    nothing: list[str] = []
    shown, around = call.page(nothing)
    return Answer({"data": shown, **around})


def rows(_: Call) -> Answer:
    return Answer([])


def percentages(_: Call) -> Answer:
    """By condition id."""
    return Answer({})
