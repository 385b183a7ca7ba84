"""Where each pane of the Desk goes, as arithmetic on the terminal's size and what there is to show.

Below 80x24 only the card, the limits line and the way to stop. One column up to 119 columns or below 36
rows; else two, decide on the left and watch on the right. MARKETS takes what is left.
"""

from __future__ import annotations

from typing import NamedTuple

WIDTH_MIN, HEIGHT_MIN = 80, 24
TWO_WIDTH, TWO_HEIGHT = 120, 36
WIDE_WIDTH = 160
_MARKETS_MIN = 6
_FAIR_WHOLE = 14
"""Rows of a fair-value pane that shows a usual event whole."""
_TABLE_LEAST = 4
_CARD_LEAST = 5
"""Rows of the smallest card: title, three of what is decided, state."""
_LIMITS_FIXED = 5
"""Rows of the limits pane besides its limits."""


class Rect(NamedTuple):
    x: int
    y: int
    width: int
    height: int


class Needs(NamedTuple):
    """What the panes would like to show."""

    card: bool
    idle: int
    """Rows of the sentence that stands in place of a card."""
    limits: int
    orders: int
    positions: int
    alarms: int


Plan = dict[str, Rect]


def is_reduced(width: int, height: int) -> bool:
    return width < WIDTH_MIN or height < HEIGHT_MIN


def is_two_column(width: int, height: int) -> bool:
    return width >= TWO_WIDTH and height >= TWO_HEIGHT


def desk_plan(width: int, height: int, needs: Needs, banded: int = 0) -> Plan:
    """Pane id to rectangle, for the body between the status bar and the message line.

    ``banded`` rows of it are taken by a band: they cost room and never change the form.
    """
    body = max(0, height - 3 - banded)
    if is_reduced(width, height):
        return _reduced(width, body, needs)
    if is_two_column(width, height):
        return _two_columns(width, body, needs)
    return _one_column(width, body, body + banded, needs)


def over(width: int, height: int, table: str, rows: int, least: int, *, text: str = "detail") -> Plan:
    """The body of a screen with a table of ``rows`` lines over a text, which keeps ``least`` lines while the
    table has its title, header and two rows."""
    body = max(0, height - 3)
    top = min(body, max(min(rows, body - least), _TABLE_LEAST))
    return _stack(width, [pane for pane in ((table, top), (text, body - top)) if pane[1] > 0])


def _reduced(width: int, body: int, needs: Needs) -> Plan:
    """As much as there is room for: the card, the limits, what would be a better size."""
    limits = 2 if body >= _CARD_LEAST + 2 else 0
    size = 1 if body > _CARD_LEAST + limits else 0
    card = min(10 if needs.card else 1 + max(2, needs.idle), body - limits - size)
    return _stack(
        width, [pane for pane in (("card", card), ("limits", limits), ("size", size)) if pane[1] > 0]
    )


def _stack(width: int, panes: list[tuple[str, int]], x: int = 0, y: int = 1) -> Plan:
    plan: Plan = {}
    for name, height in panes:
        plan[name] = Rect(x, y, width, height)
        y += height
    return plan


def _one_column(width: int, body: int, usual: int, needs: Needs) -> Plan:
    """``usual``: rows of the body without a band, by which the panes are chosen."""
    card = 10 if needs.card else 1 + min(max(2, needs.idle), 4)
    limits = 2 if usual < 50 else 10
    fair = 0 if usual < 27 else 5 if usual < 57 else 12
    full = usual >= 31
    orders_max = 1 if usual < 23 else 3
    orders = 1 + min(max(1, needs.orders), orders_max) + (1 if full else 0)
    positions = 2 + min(max(1, needs.positions), 4) if full else 0
    while body - card - limits - fair - orders - positions < _MARKETS_MIN and (positions > 3 or orders > 3):
        positions, orders = (positions - 1, orders) if positions > 3 else (positions, orders - 1)
    markets = body - card - limits - fair - orders - positions
    panes = [
        ("card", card),
        ("markets", markets),
        ("fair", fair),
        ("orders", orders),
        ("positions", positions),
        ("limits", limits),
    ]
    return _stack(width, [pane for pane in panes if pane[1] > 0])


def _two_columns(width: int, body: int, needs: Needs) -> Plan:
    left = 62 if width >= WIDE_WIDTH else 50
    limits = min(13, max(7, body - 29))
    fair = min(13, max(8, body - 29))
    card = body - fair - limits
    if not needs.card:
        # The panes below get what an empty queue does not need: first room for every limit.
        card = min(card, 2 + max(2, needs.idle))
        limits = max(limits, min(_LIMITS_FIXED + needs.limits, body - card - _FAIR_WHOLE))
        fair = body - card - limits
    orders = 4 + min(max(2, needs.orders), 6 if body < 50 else 10)
    positions = 3 + min(max(2, needs.positions), 8 if body < 50 else 14)
    alarms = 2 + min(max(2, needs.alarms + 2), 5)
    short = _MARKETS_MIN + 4 - (body - orders - positions - alarms)
    if short > 0:
        positions = max(5, positions - short)
    markets = body - orders - positions - alarms
    return {
        **_stack(left, [("card", card), ("fair", fair), ("limits", limits)]),
        **_stack(
            width - left,
            [("markets", markets), ("orders", orders), ("positions", positions), ("alarms", alarms)],
            x=left,
        ),
    }
