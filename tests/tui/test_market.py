"""Market detail: the ladder and what stands on it, depth, the past, and the keys of the screen."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from core.control.protocol import CancelOrder, Propose, Query
from core.control.tables.markets import MarketStatic
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.market_told import QUARANTINE, equity_told, history_told, market_told, payoff_told
from tui.chart import Run
from tui.lines import plain
from tui.market_answers import Equity, Level, Near, read_history, read_market
from tui.market_charts import day_trace, depth_chart, drawdown, equity_chart, price_chart
from tui.market_words import market_lines
from tui.scene import Scene
from tui.screens.market import MarketScreen, market_plan
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.ladder import TICKS_MAX, Ladder, in_yes, ticks_of
from tui.widgets.live_table import plan, row_line
from tui.widgets.order_table import order_detail

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
KEY = 2
TICKER = next(static.ticker for static in rows.statics() if static.key == KEY)
NEAR = read_market(market_told(TICKER))


def scene_with(*orders: rows.OrderRow, static: MarketStatic | None = None) -> Scene:
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "s1", seq=1), NOW)
    view.orders.clear()
    view.orders.update({order.client_order_id: order for order in orders})
    if static is not None:
        view.statics[KEY] = static
    return Scene(view, NOW, 160)


def order(client: str, price: int, **changes: object) -> rows.OrderRow:
    return rows.order(NOW, client_order_id=client, key=KEY, price=price, **changes)


def drawn(scene: Scene, price: int, near: Near = NEAR, width: int = 60) -> str:
    ladder = Ladder()
    ladder.show(scene, KEY, near)
    return " ".join(plain(row_line(plan(ladder.columns, width), scene, price)).split())


def test_a_row_has_both_sides_their_sums_and_what_stands_there() -> None:
    scene = scene_with()
    assert drawn(scene, 3_100) == "120 120 31 <bid"
    assert drawn(scene, 2_900) == "670 340 29"
    assert drawn(scene, 3_400) == "34 160 160 <ask last"
    assert drawn(scene, 3_600) == "36 220 425"
    assert drawn(scene, 3_800) == "38 <fair 38.2"
    assert drawn(scene, 3_300) == "33"


def test_an_order_made_smaller_at_the_venue_says_what_was_ordered() -> None:
    mine = order("c-1", 3_100, quantity=5 * rows.C, ordered=15 * rows.C)
    told = order_detail(scene_with(mine), mine)
    assert " 0/5 @ 31c worth 1.55, 15 ordered, expires " in told
    assert "ordered" not in order_detail(scene_with(mine), msgspec.structs.replace(mine, ordered=0))


def test_our_orders_stand_at_their_price_of_yes_with_what_is_before_them() -> None:
    mine = order("c-1", 3_100, ahead=195 * rows.C, leaves=15 * rows.C)
    more = order("c-2", 3_100, ahead=20 * rows.C, leaves=5 * rows.C)
    other = order("c-3", 6_400, outcome="NO", leaves=7 * rows.C, ahead=None)
    lost = order("c-4", 2_700, state="UNKNOWN", leaves=4 * rows.C, ahead=None)
    scene = scene_with(mine, more, other, lost, order("c-5", 3_000, ended_ns=1), rows.order(NOW, key=KEY + 1))
    assert drawn(scene, 3_100) == "B 20 q20 120 120 31 <bid"
    assert drawn(scene, 3_600) == "S 7 36 220 425", "NO bought at 64 sells YES at 36"
    assert drawn(scene, 2_700).startswith("B 4?")
    assert drawn(scene, 3_000) == "330 210 30", "what is over does not stand there"
    ladder = Ladder()
    ladder.show(scene, KEY, NEAR)
    assert ladder.price == 3_100
    here = ladder.order_here()
    assert here is not None and here.client_order_id in ("c-1", "c-2")


@pytest.mark.parametrize(
    ("outcome", "closes", "found"),
    [
        ("YES", False, (3_000, True)),
        ("YES", True, (3_000, False)),
        ("NO", False, (7_000, False)),
        ("NO", True, (7_000, True)),
    ],
)
def test_every_order_has_its_side_of_the_book(outcome: str, closes: bool, found: tuple[int, bool]) -> None:
    assert in_yes(order("c-1", 3_000, outcome=outcome, closes=closes)) == found


def test_a_narrow_ladder_loses_its_sums_first_and_ours_never() -> None:
    scene = scene_with(order("c-1", 3_100, ahead=195 * rows.C, leaves=15 * rows.C))
    assert drawn(scene, 3_100, width=38) == "B 15 q195 120 31 <bid"
    assert drawn(scene, 3_100, width=28) == "B 15 q195 120 31"


def test_a_grid_of_many_bands_is_walked_and_a_fine_one_is_thinned() -> None:
    assert ticks_of(((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)))[:2] == [9_990, 9_980]
    assert ticks_of(((0, 100, 50), (100, 300, 100))) == [300, 200, 100, 50]
    static = next(static for static in rows.statics() if static.key == KEY)
    fine = msgspec.structs.replace(static, bands=((0, 10_000, 1),))
    ladder = Ladder()
    ladder.show(scene_with(order("c-1", 1_000, ahead=None), static=fine), KEY, NEAR)
    assert len(ladder.keys) < TICKS_MAX
    assert {1_000, 2_700, 3_250, 3_700} <= {*ladder.keys} and 9_000 not in ladder.keys
    assert ladder.keys == sorted(ladder.keys, reverse=True)


def test_a_grid_that_changes_is_followed_and_what_rests_beside_it_stays_in_sight() -> None:
    static = next(static for static in rows.statics() if static.key == KEY)
    ladder, near = Ladder(), NEAR._replace(bids=(Level(3_150, 5 * rows.C), *NEAR.bids))
    ladder.show(scene_with(), KEY, near)
    assert 3_150 in ladder.keys and 3_250 not in ladder.keys
    halves = msgspec.structs.replace(static, bands=((0, 10_000, 50),))
    ladder.show(scene_with(static=halves), KEY, near)
    assert {3_150, 3_250} <= {*ladder.keys} and ladder.price == 3_150


def test_depth_counts_what_rests_between_the_touch_and_a_price() -> None:
    chart = depth_chart(NEAR)
    assert chart is not None and chart.across == (2_700, 3_700) and chart.upright == (0, 1_260 * rows.C)
    bids, asks = (series.runs[0] for series in chart.series)

    def at(run: Run, price: int) -> int:
        return [total for x, total in zip(run.xs, run.ys, strict=True) if x <= price][-1] // rows.C

    assert [at(bids, price) for price in (2_700, 2_750, 2_800, 2_801, 3_001, 3_100)] == [
        1_260,
        760,
        760,
        670,
        120,
        120,
    ]
    assert [at(asks, price) for price in (3_400, 3_450, 3_500, 3_700)] == [160, 160, 205, 735]
    alone = NEAR._replace(bids=(), asks=(Level(3_400, rows.C), Level(9_900, 10**12)))
    far = depth_chart(alone)
    assert far is not None and far.upright[1] < 10**9, "what rests far away is not drawn"
    assert depth_chart(NEAR._replace(bids=(), asks=())) is None


def test_the_price_chart_has_gaps_where_there_was_no_book_and_our_fills() -> None:
    point = msgspec.json.decode(history_told(TICKER))["points"]
    gap = [one | {"bid": None, "ask": None} if 100 <= at < 120 else one for at, one in enumerate(point)]
    chart = price_chart(read_history(history_told(TICKER, points=gap)))
    assert chart is not None
    bid, _ask, fair, bought, sold = chart.series
    assert (len(bid.runs), len(fair.runs), len(bought.runs), len(sold.runs)) == (2, 1, 1, 0)
    assert bid.runs[0].ys[-1] == bid.runs[0].ys[-2], "it lasts until it was lost"
    assert bought.runs[0].ys == [3_000]
    assert price_chart(read_history(history_told(TICKER, points=[], fills=[]))) is None


def test_the_days_result_is_drawn_against_nothing_with_its_drawdown() -> None:
    equity = Equity("2026-11-22", (0, 1_000, 2_000), (500_000, 2_000_000, -1_000_000))
    chart = equity_chart(equity)
    assert chart is not None and chart.upright == (-1_000_000, 2_000_000)
    assert drawdown(equity) == 3_000_000
    assert drawdown(Equity("d", (0,), (-250_000,))) == 250_000, "from nothing"
    assert equity_chart(Equity("d", (), ())) is None and drawdown(Equity("d", (), ())) == 0
    moved = Equity("d", (0, 50, 90, 110), (0, 600_000, -2_000_000, 1_000_000))
    assert day_trace(moved) == "---------__'", "each mark as it stood by then"
    assert day_trace(Equity("d", (0, 110), (0, 250_000))) == "_" * 12, "cents do not look like a rise"
    assert day_trace(Equity("d", (5,), (-250_000,))) == "_" * 12 and day_trace(Equity("d", (), ())) == ""


def test_outside_words_are_cleaned_and_what_settles_it_is_told() -> None:
    near = read_market(market_told(TICKER, settles="NWS\x1b[2J", rules="If \u202e the [bold]high"))
    said = "\n".join(map(plain, market_lines(scene_with(), KEY, 78, near)))
    assert "settles       NWS[2J" in said and "If the [bold]high" in said
    assert re.search(r"closes \S+ \d\d:\d\dZ in \S+, Nov 22 23:59 ET ", said), "by the venue's clock too"
    assert ">48-49" in said and "fair 38.2c +/-2.9" in said
    assert "This market is gone." in plain(market_lines(scene_with(), 999, 78, near)[0])


def test_what_no_model_prices_is_a_dash_without_a_unit_and_what_settles_it_is_told_whole() -> None:
    scene = scene_with()
    scene.view.markets[KEY] = msgspec.structs.replace(
        scene.view.markets[KEY], fair=None, sigma=None, edge=None, edge_word=""
    )
    settles = " ".join(f"word{n}" for n in range(40))
    lines = [plain(row) for row in market_lines(scene, KEY, 78, NEAR._replace(settles=settles))]
    assert all(len(row) <= 78 for row in lines)
    said = " ".join(" ".join(lines).split())
    assert "fair -- net edge -- change" in said.replace("model 38.2c counts 100% market not pooled ", "")
    assert settles in said


def test_what_is_too_good_to_be_true_stands_there_with_what_it_rests_on() -> None:
    near = read_market(market_told(TICKER, quarantine=QUARANTINE))
    said = [plain(row) for row in market_lines(scene_with(), KEY, 78, near)]
    text = " ".join(" ".join(said).split())
    assert "edge 21.4c is too good: BUY NO @ 55c post-only would bring +21.4c a contract" in text
    assert "Open-Meteo high 51.3F" in text and "t asks for it by hand" in text
    assert all(len(row) <= 78 for row in said)
    assert not any("too good" in plain(row) for row in market_lines(scene_with(), KEY, 78, NEAR))


@pytest.mark.parametrize(
    "size", [(80, 24), (100, 30), (119, 60), (120, 36), (160, 45), (200, 60), (400, 120)]
)
def test_panes_fill_the_body_and_never_overlap(size: tuple[int, int]) -> None:
    width, height = size
    cells: set[tuple[int, int]] = set()
    for rect in market_plan(width, height).values():
        own = {
            (x, y) for x in range(rect.x, rect.x + rect.width) for y in range(rect.y, rect.y + rect.height)
        }
        assert rect.width > 0 and rect.height > 3 and not own & cells
        cells |= own
    assert cells == {(x, y) for x in range(width) for y in range(1, height - 2)}


def answer(desk: Desk) -> None:
    for static in rows.statics():
        desk.engine.answers[f"market {static.ticker}"] = market_told(static.ticker)
        desk.engine.answers[f"history {static.ticker}"] = history_told(static.ticker)


async def test_the_screen_asks_for_its_market_and_its_keys_act_on_the_ladder(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        answer(desk)
        now = read_clocks()
        mine = rows.order(
            now, client_order_id="c-ladder", key=KEY, price=3_000, leaves=9 * rows.C, state="WORKING"
        )
        desk.engine.send(orders=(mine,))
        await desk.until(lambda: "c-ladder" in desk.app.view.orders)
        desk.app.show_market(KEY)
        await desk.shows("<fair 38.2")
        screen = desk.app.screen
        assert isinstance(screen, MarketScreen) and screen.cursor_price == 3_100
        await desk.shows("B bought")
        for part in ("TRADES", "DEPTH", "12 @ 34c", "settles       Central Park"):
            assert part in desk.text
        await desk.press("c")
        await desk.shows("no order of ours at this price")
        await desk.press("j", "c")
        assert screen.cursor_price == 3_000
        cancelled = await desk.engine.expect(CancelOrder)
        assert isinstance(cancelled, CancelOrder) and cancelled.client_order_id == "c-ladder"
        await desk.press("t")
        await desk.shows("at 30c: SIZE")
        await desk.press("7", "enter")
        wish = await desk.engine.expect(Propose)
        assert isinstance(wish, Propose) and (wish.ticker, wish.price) == (TICKER, 3_000)
        await desk.press("e")
        await desk.shows("Change NYC hi Nov23 48-49 @ 30c")
        await desk.press("escape")
        asked = {command.about for command in desk.sent(Query) if command.what in ("market", "history")}
        assert asked == {TICKER}
        await desk.press("right")
        await desk.until(lambda: screen.key != KEY and screen.cursor_price == 3_100, "moved on")
        screen._heard_near(market_told(TICKER, settles="A late answer about the one before."))
        desk.app.repaint()
        assert "late answer" not in desk.text
        await desk.press("left")
        await desk.until(lambda: screen.key == KEY)
        await desk.press("escape")
        await desk.until(lambda: not isinstance(desk.app.screen, MarketScreen))
        count = len(desk.sent(Query))
        await desk.pilot.pause(0.7)
        assert len(desk.sent(Query)) == count, "nobody looks, nobody asks"
        doubted = [msgspec.structs.replace(row, edge_word="quar") for row in desk.app.view.markets.values()]
        desk.engine.send(markets=tuple(doubted))
        await desk.until(lambda: all(row.edge_word for row in desk.app.view.markets.values()))
        desk.engine.answers.clear()
        await desk.press("t")
        await desk.until(lambda: isinstance(desk.app.screen, MarketScreen))
        await desk.shows("look at the evidence first")
        assert "SIZE" not in desk.text
        await desk.press("t")
        await desk.shows("its evidence is still to come, then t again")
        assert "SIZE" not in desk.text, "no empty ticket"
        doubtful = desk.app.screen
        doubtful._heard_near(market_told(rows.statics()[0].ticker, quarantine=QUARANTINE))
        desk.app.repaint()
        await desk.shows("Open-Meteo high 51.3F")
        await desk.press("t")
        await desk.shows("no @ 55 post-only")
        await desk.press("4", "enter")
        await desk.until(lambda: len(desk.sent(Propose)) == 2)
        wish = desk.sent(Propose)[-1]
        assert (wish.side, wish.price, wish.quantity, wish.style) == ("no", 5_500, 4 * rows.C, "post-only")


async def test_the_days_result_stands_beside_the_limits_where_there_is_room(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        desk.engine.answers["equity"] = equity_told()
        await desk.press("4")
        await desk.shows("TODAY UTC -3.10  -3.10 from its best")
        await desk.shows("18:00")
        assert "supervised: you" in desk.text
        await desk.pilot.resize_terminal(80, 24)
        await desk.until(lambda: "TODAY" not in desk.text and "supervised: you" in desk.text)
        assert "ends with" not in desk.text, "the engine has not told"
        (title,) = [row for row in desk.text.splitlines() if "POSITIONS" in row]
        assert re.search(r"today -3.10  [_.'-]{12}$", title.rstrip()), "in one row where no chart has room"
        held = next(static.ticker for static in rows.statics() if static.key == 10)
        desk.engine.answers[f"payoff {held}"] = payoff_told(held)
        await desk.press("down", "up")
        await desk.shows("CHI high Nov 23 ends with  <=38 -7.75  39-40 +22.25")
        assert "none -7.75  realised +0.29  fees 0.24" in desk.text and "supervised: you" in desk.text
        await desk.press("down")
        await desk.until(lambda: "ends with" not in desk.text)
        asked = len(desk.sent(Query))
        await desk.pilot.pause(0.5)
        assert len(desk.sent(Query)) == asked
        await desk.pilot.resize_terminal(100, 50)
        await desk.until(lambda: "TODAY" in desk.text and "supervised: you" in desk.text)
