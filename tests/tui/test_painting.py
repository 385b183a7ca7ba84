"""What is drawn the moment it comes, and what waits for the next tick: here there is none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.control.tables.markets import MarketRow
from core.control.tables.models import EventRow
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import read_clocks
from tui.painting import Painter

NEWS = " 51.7 "
"""A fair value that stands nowhere else on the screen."""


@pytest.fixture(autouse=True)
def no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Painter, "tick", lambda _self: None)


def priced() -> tuple[MarketRow, EventRow]:
    """NYC 48-49 as a new forecast values it."""
    market = msgspec.structs.replace(rows.markets(read_clocks())[0], fair=5170)
    (nyc, *_) = rows.events()
    brackets = [msgspec.structs.replace(b, fair=5170) if b.key == market.key else b for b in nyc.brackets]
    return market, msgspec.structs.replace(nyc, brackets=tuple(brackets))


async def test_a_new_fair_value_is_drawn_at_once_and_a_moved_book_is_not(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        market, event = priced()
        desk.engine.send(markets=(market,))
        await desk.until(lambda: desk.app.view.markets[market.key].fair == 5170)
        await desk.pilot.pause()
        assert NEWS not in desk.text
        desk.engine.send(events=(event,))
        await desk.shows(NEWS)


async def test_one_paint_a_second_waits_for_its_turn_with_fair_values_too(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False, paints_per_s=1) as desk:
        market, event = priced()
        desk.engine.send(markets=(market,), events=(event,))
        await desk.until(lambda: desk.app.view.markets[market.key].fair == 5170)
        await desk.pilot.pause()
        assert NEWS not in desk.text
        desk.engine.send(orders=rows.orders(read_clocks())[:1])
        await desk.shows(NEWS)
