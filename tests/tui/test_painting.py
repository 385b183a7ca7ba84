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
from tui.pace import CALM_NS, Pace
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
    async with running(directory, size=(160, 45), cards=False, low_bandwidth=True) as desk:
        market, event = priced()
        desk.engine.send(markets=(market,), events=(event,))
        await desk.until(lambda: desk.app.view.markets[market.key].fair == 5170)
        await desk.pilot.pause()
        assert NEWS not in desk.text
        desk.engine.send(orders=rows.orders(read_clocks())[:1])
        await desk.shows(NEWS)


# --- pace -------------------------------------------------------------------------------------------------

S = 1_000_000_000


def test_a_slow_line_is_drawn_on_once_a_second_until_it_was_good_for_half_a_minute() -> None:
    pace = Pace(4, low_bandwidth=False)
    pace.observe(S // 2, 0)
    assert pace.every_ns(0) == S // 4 and pace.word(0) == "" and pace.holds(urgent=False)
    assert not pace.holds(urgent=True)
    pace.observe(3 * S, S)
    assert pace.every_ns(S) == S and pace.sparing(S) and pace.word(S) == "SLOW LINE 3s"
    assert pace.holds(urgent=True)
    pace.observe(0, 2 * S)
    assert not pace.holds(urgent=False) and pace.word(2 * S) == "SLOW LINE"
    assert pace.sparing(S + CALM_NS - 1) and not pace.sparing(S + CALM_NS)
    assert pace.every_ns(S + CALM_NS) == S // 4


def test_without_focus_the_desk_is_drawn_once_a_second_and_loses_nothing() -> None:
    pace = Pace(10, low_bandwidth=False)
    pace.blurred = True
    assert pace.every_ns(0) == S and not pace.sparing(0) and pace.word(0) == ""
    pace.blurred = False
    assert pace.every_ns(0) == S // 10


async def test_low_bandwidth_is_switched_while_it_runs_and_goes_without_flashes(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        await desk.press("colon", *"low", "minus", *"bandwidth", "space", *"on", "enter")
        await desk.until(lambda: desk.app.painter.pace.low_bandwidth)
        desk.app.repaint()
        await desk.shows("LOW BW")
        desk.engine.send(markets=(priced()[0],), orders=rows.orders(read_clocks())[:1])
        await desk.pilot.pause()
        market = msgspec.structs.replace(priced()[0], bid=3000)
        desk.engine.send(markets=(market,))
        await desk.until(lambda: desk.app.view.markets[market.key].bid == 3000)
        assert desk.app.view.bid_flash_ns == {}
        await desk.press("colon", *"low", "minus", *"bandwidth", "space", *"off", "enter")
        await desk.until(lambda: not desk.app.painter.pace.low_bandwidth)
        desk.engine.send(markets=(msgspec.structs.replace(market, bid=3100),))
        await desk.until(lambda: desk.app.view.bid_flash_ns)
