"""Feeds: every source by family, none of them drawn better than it is, and what turns an off one on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.control.protocol import ConfirmRelease, EnterView, Frame, Query, TryFeed
from core.control.tables.sources import FeedRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_screens import checked_lines
from tui.feed_names import apart_word
from tui.feed_words import badness, by_family, family_word, feed_word, worst_first
from tui.lines import Span, plain, width_of
from tui.operator import Operator
from tui.scene import Scene
from tui.screens.feeds import source_lines
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.feed_table import COLUMNS, key_of
from tui.widgets.line_pane import LinePane
from tui.widgets.status_bar import status_line

NOW = Now(50 * rows.S, rows.WORLD_MS)
TOLD = {
    "source": "coinbase",
    "gives": "trades of coins",
    "credit": "",
    "costs": "Nothing is asked.",
    "tests": 1,
    "passed": True,
    "found": "A value came after 40 ms.",
    "values": [
        {"about": "BTC/USD", "said": "98,123.42, bid 98,123.41", "age_s": 0.4, "stale_after_s": 10},
        {"about": "ETH\u202e/USD", "said": "3,412.10", "age_s": 31.0, "stale_after_s": 10},
    ],
}  # fmt: skip


def scene(feeds: tuple[FeedRow, ...], width: int = 160) -> Scene:
    view = ViewModel()
    view.connected = True
    status = rows.status(NOW, session="s", speed=1.0, feeds=feeds)
    view.apply(Frame(1, NOW.mono_ns, full=True, status=status), NOW)
    return Operator(view, "s", lambda command: True).scene(NOW, width)


async def with_twenty(desk: Desk) -> None:
    now = read_clocks()
    desk.engine.send(
        status=rows.status(now, session=desk.engine.session, speed=1.0, feeds=rows.twenty(now)),
        gone_alarms=(1, 2, 3),
    )
    await desk.press("6")
    await desk.shows("FEEDS 11 of 15 live  5 off  NONE LIVE: forex sports")


def table(desk: Desk) -> str:
    return desk.app.screen.query_one("#feeds", LinePane).text


async def test_every_family_and_source_is_there_with_what_is_wrong(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await with_twenty(desk)
        seen = set()
        for _ in range(30):
            seen |= {" ".join(text.split()) for text in table(desk).splitlines()}
            checked_lines(desk)
            await desk.press("down")
        text = "\n".join(seen)
        for words in (
            "WEATHER 7 of 8 live", "NWS ok 38m/6h 128ms", "OBS DOWN", "KNYC: HTTP 503",
            "METEO ok 90m/12h 79/100 min 128ms", "FOREX NO LIVE SOURCE", "SPORTS NO LIVE SOURCE",
            "CALENDAR 1 of 1 live", "0.4bp 41ms", "12.5bp 62ms", "BINANCE STALE 3m 3m~/60s",
            "FRED AUTH", "ODDS SPENT", "31/500 mon", "TWELVE off It needs",
        ):  # fmt: skip
            assert words in text, (words, text)
        assert "YAHOO ok" not in text


@pytest.mark.parametrize(
    ("source", "word", "role"), [("coinbase", "0.4bp", "text-muted"), ("kraken", "12.5bp", "near")]
)
def test_how_far_a_source_is_from_the_others_is_marked_where_that_is_too_far(
    source: str, word: str, role: str
) -> None:
    at = scene(rows.twenty(NOW))
    feed = next(feed for feed in rows.twenty(NOW) if feed.source == source)
    (apart,) = (column for column in COLUMNS if column.name == "apart")
    assert apart.cell(at, key_of(feed)) == Span(word, role)
    first, *_ = source_lines(at, feed, None, 100)
    assert f"{word} from the nearest other source" in plain(first)
    assert first[0].role == "text" and ("near" in {span.role for span in first}) is feed.too_far


def test_a_source_that_has_told_nothing_says_so() -> None:
    at = scene(())
    first, *_ = source_lines(
        at, rows.feed(NOW, "NBM", "nbm", "weather", 0, 60, newest_world_ms=None), None, 100
    )
    assert "no data yet, limit 60s" in plain(first)


def test_a_distance_takes_at_most_six_cells() -> None:
    words = [apart_word(bp) for bp in (None, 0.0, 99.94, 99.96, 1_234.5, 1e9)]
    assert words == ["", "0.0bp", "99.9bp", "100bp", "1234bp", "9999bp"]


async def test_an_off_source_says_which_line_turns_it_on_and_a_family_says_it_of_all(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await with_twenty(desk)
        while "SOURCE yahoo" not in desk.text:
            await desk.press("down")
        await desk.shows("on = true in [feeds.yahoo]")
        while "FAMILY forex" not in desk.text:
            await desk.press("up")
        await desk.shows("[feeds.twelve-data]")
        await desk.shows("[feeds.yahoo]")


async def test_what_a_source_told_is_asked_for_and_drawn_with_its_age(directory: Path) -> None:
    async with running(directory, size=(160, 45)) as desk:
        desk.engine.answers["coinbase"] = json.dumps(TOLD).encode()
        await with_twenty(desk)
        while "SOURCE coinbase" not in desk.text:
            await desk.press("down")
        await desk.shows("98,123.42, bid 98,123.41")
        shown = desk.text
        assert "Last test: A value came after 40 ms." in shown
        assert "31s~" in shown and "0s~" not in shown, "old values are marked, fresh ones are not"
        assert "\u202e" not in shown
        asked = [query.about for query in desk.sent(Query)]
        assert len(asked) < 40, "asked about once a second, not with every paint"


async def test_a_source_is_tested_by_name_or_label_and_an_unknown_one_names_the_nearest(
    directory: Path,
) -> None:
    async with running(directory, size=(120, 36)) as desk:
        await with_twenty(desk)
        await desk.press("colon", *"feeds test ", "M", "E", "T", "E", "O", "enter")
        command = await desk.engine.expect(TryFeed)
        assert command.source == "open-meteo"  # type: ignore[attr-defined]
        await desk.press("colon", *"feeds test yaho", "enter")
        await desk.shows("did you mean 'yahoo'?")
        assert len(desk.sent(TryFeed)) == 1
        await desk.press("colon", *"feeds confirm cpi", "enter")
        confirmed = await desk.engine.expect(ConfirmRelease)
        assert confirmed.kind == "cpi"  # type: ignore[attr-defined]
        await desk.press("colon", *"view cpi next consensus 0.3 ", "plus", "minus", *"0.1 a survey", "enter")
        view = await desk.engine.expect(EnterView)
        assert view.released == "next" and view.centre == "consensus"  # type: ignore[attr-defined]
        assert (view.value, view.sd, view.source) == ("0.3", "0.1", "a survey")  # type: ignore[attr-defined]
        await desk.press("colon", *"view cpi next consensus 0.3 ", "plus", "minus", *"0.1", "enter")
        await desk.shows("say where it is from")


@pytest.mark.parametrize("width", [80, 120, 160, 200])
def test_the_status_bar_names_the_worst_and_keeps_everything_else_with_twenty_sources(width: int) -> None:
    shown = status_line(scene(rows.twenty(NOW), width))
    text = plain(shown)
    assert width_of(shown) == width
    assert "OBS DOWN 0:09" in text
    assert all(words in text for words in ("unk 0", "exp 35/800", "KAL ok")), text
    if width >= 160:
        assert text.index("OBS DOWN") < text.index("FRED AUTH") < text.index("BINANCE STALE")
    if width >= 200:
        assert "+1 not ok" in text, "what does not fit is counted"
    calm = plain(status_line(scene(tuple(f for f in rows.twenty(NOW) if f.family == "weather")[2:8], 160)))
    assert "METAR ok 30m +5 ok" in calm, "the family's nearest to its limit, and how many more are well"


def test_feeds_that_are_all_well_stand_together_before_money_orders_or_control_give_way() -> None:
    well = tuple(replace(feed, state="ok") for feed in rows.twenty(NOW) if feed.newest_world_ms is not None)
    text = plain(status_line(scene(well, 160)))
    assert all(words in text for words in ("open +0.34", "today -3.10", "orders 2", "control:")), text
    assert text.count(" ok  ") == 1 and f"ok 66h +{len(well) - 1} ok" in text, "one chip, with its age"
    wide = plain(status_line(scene(well, 260)))
    assert all(words in wide for words in ("METAR ok 30m", "FOMC ok 9d", "control:")), (
        "each where all have room"
    )


def test_worse_comes_first_and_no_family_without_a_live_source_reads_well() -> None:
    at = scene(rows.twenty(NOW))
    ordered = [feed_word(feed, at)[0].split()[0] for feed in worst_first(rows.twenty(NOW), at)]
    ranks = [badness(feed, at)[0] for feed in worst_first(rows.twenty(NOW), at)]
    assert ordered[:4] == ["DOWN", "AUTH", "STALE", "SPENT"] and ranks == sorted(ranks, reverse=True)
    words = {family: family_word(feeds)[0] for family, feeds in by_family(rows.twenty(NOW)).items()}
    assert words == {
        "weather": "7 of 8 live",
        "forex": "NO LIVE SOURCE",
        "markets": "3 of 5 live",
        "sports": "NO LIVE SOURCE",
        "calendar": "1 of 1 live",
    }
    assert {family_word(feeds)[0] for feeds in by_family(()).values()} == {"NO LIVE SOURCE"}
    shut = rows.feed(NOW, "PYTH", "kalshi-pyth", "forex", 43 * 60, 420)
    assert feed_word(shut, at)[0] == "ok", "the engine knows that a market is shut and ages nothing meanwhile"


async def test_models_names_the_sources_that_need_a_look_and_counts_the_rest(directory: Path) -> None:
    async with running(directory, size=(160, 45)) as desk:
        await with_twenty(desk)
        await desk.press("5")
        for _ in range(6):
            await desk.press("pagedown")
        await desk.shows("and 9 more that are no worse: 6 Feeds")
        lines = [text for text in desk.text.splitlines() if "stale after" in text]
        assert [text.split()[1] for text in lines[:2]] == ["OBS", "FRED"]
