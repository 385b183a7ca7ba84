"""Marks on markets: kept in one file that is never lost, seen beside the name, sorted first and found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.watchlist import WatchlistError, mark, read_watchlist
from tests.tui import rows
from tests.tui.conftest import running
from tui.ordering import MarketOrdering
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.market_table import MARKETS

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
MARKET = st.tuples(st.sampled_from(["kalshi", "polymarket"]), st.text(max_size=12))


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.tuples(MARKET, st.booleans()), max_size=8))
def test_the_file_holds_what_was_marked_last(
    steps: list[tuple[tuple[str, str], bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, wanted = tmp_path_factory.mktemp("w") / "watch.toml", set[tuple[str, str]]()
    for market, watched in steps:
        wanted = wanted | {market} if watched else wanted - {market}
        assert mark(path, market, watched=watched) == wanted == read_watchlist(path)
    assert not path.exists() or path.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in path.parent.iterdir()} <= {"watch.toml"}, "nothing half written stays"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"kalshi = [", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"kalshi = 'A'\n", "kalshi must be a list of tickers"),
        (b"kalshi = [1]\n", "kalshi must be a list of tickers"),
        (b"#" * (1024 * 1024 + 1), "is longer than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_stays_as_it_is(
    text: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "watch.toml"
    path.write_bytes(text)
    for use in (lambda: read_watchlist(path), lambda: mark(path, ("kalshi", "A"), watched=True)):
        with pytest.raises(WatchlistError) as told:
            use()
        assert str(path) in str(told.value) and why in str(told.value)
        assert "mend it or take it away" in str(told.value)
    assert path.read_bytes() == text


def test_what_is_watched_comes_behind_our_money_and_before_the_rest() -> None:
    view, order = ViewModel(), MarketOrdering(MARKETS)
    view.apply(rows.snapshot(NOW, "me"), NOW)
    plain = order.keys(Scene(view, NOW, 160), view.markets, still=False)
    last = view.statics[plain[-1]]
    scene = Scene(view, NOW, 160, watched=frozenset({(last.venue, last.ticker)}))
    keys = MarketOrdering(MARKETS).keys(scene, view.markets, still=False)
    own = [key for key in plain if view.markets[key].mark or view.markets[key].net]
    assert keys == [*own, last.key, *(key for key in plain if key not in (*own, last.key))]
    narrowed = MarketOrdering(MARKETS)
    narrowed.narrow("watch")
    assert narrowed.keys(scene, view.markets, still=False) == [last.key]


async def test_a_mark_is_seen_kept_found_and_taken_back(directory: Path) -> None:
    path = directory / "watch.toml"
    path.write_text('polymarket = ["elsewhere"]\n')
    async with running(directory, cards=False, watchlist=path) as desk:
        app = desk.app
        await desk.until(lambda: app.operator.watched == {("polymarket", "elsewhere")}, "read the file")
        await desk.press("2", "end", "asterisk")
        key = app.selected("markets")
        static = app.view.statics[key]
        await desk.shows(f"*{static.label}")
        await desk.shows(f"{static.label}: watched")
        kept = {"polymarket": ["elsewhere"], static.venue: [static.ticker]}
        assert tomllib.loads(path.read_text()) == kept
        await desk.press("slash", *"watch", "enter")
        await desk.shows("1 of 15")
        await desk.press("escape", "colon", *"watch", "space", *static.ticker.lower(), "enter")
        await desk.shows(f"{static.label}: no longer watched")
        assert tomllib.loads(path.read_text()) == {"polymarket": ["elsewhere"]}
        path.write_bytes(b"mine = [")
        await desk.press("asterisk")
        await desk.shows("is no TOML")
        assert path.read_bytes() == b"mine = [" and ("mine",) not in app.operator.watched
        assert f"*{static.label}" not in desk.text
