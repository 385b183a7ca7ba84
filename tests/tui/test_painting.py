"""What is drawn the moment it comes, and what waits for the next tick: here there is none."""

from __future__ import annotations

import os
import threading
import time
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from core.control.tables.markets import MarketRow
from core.control.tables.models import EventRow
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import read_clocks
from tui import outflow as outflow_module
from tui.outflow import QUESTION, Outflow
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


def test_a_write_that_the_terminal_does_not_take_is_behind_until_it_does() -> None:
    reading, writing = os.pipe()
    file = os.fdopen(writing, "w")
    outflow = Outflow(file)
    writer = threading.Thread(target=lambda: (outflow.write("x" * 500_000), outflow.flush()), daemon=True)
    writer.start()
    deadline = time.monotonic() + 10
    while outflow.behind_ns() < 50_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    while writer.is_alive():
        os.read(reading, 65536)
        writer.join(0.001)
    assert outflow.behind_ns() == 0
    file.close()
    os.close(reading)


def test_a_terminal_is_asked_once_a_second_and_only_one_that_answers_can_be_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [10 * S]
    monkeypatch.setattr(outflow_module.time, "monotonic_ns", lambda: clock[0])
    shown = StringIO()
    outflow = Outflow(shown)
    outflow.write("a")
    clock[0] += S // 2
    outflow.write("b")
    assert shown.getvalue() == f"a{QUESTION}b" and outflow.behind_ns() == 0
    outflow.answered()
    clock[0] += S
    outflow.write("c")
    clock[0] += 2 * S
    outflow.write("d")  # no second question while one is open
    assert shown.getvalue() == f"a{QUESTION}bc{QUESTION}d" and outflow.behind_ns() == 2 * S
    outflow.answered()
    assert outflow.behind_ns() == 0
    outflow.asks = False
    outflow.write("e")
    assert shown.getvalue().endswith("de")


async def test_the_first_picture_is_drawn_as_soon_as_its_panes_have_theirs(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        await desk.until(lambda: not desk.app.opens, "drawn without the wait for a frame")
