"""Marks on markets: kept in one file that is never lost, seen beside the name, sorted first and found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.watchlist import MAIN, WatchlistError, choose, mark, read_watchlists
from tests.tui import rows
from tests.tui.conftest import running
from tui.ordering import MarketOrdering
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.market_table import MARKETS

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
LIST = st.sampled_from([MAIN, "weather", "2-b"])
MARKET = st.tuples(st.sampled_from(["kalshi", "polymarket"]), st.text(max_size=12))


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.one_of(LIST, st.tuples(LIST, MARKET, st.booleans())), max_size=8))
def test_each_list_holds_what_was_marked_in_it_last_and_the_one_used_last_is_current(
    steps: list[str | tuple[str, tuple[str, str], bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, current = tmp_path_factory.mktemp("w") / "watch.toml", MAIN
    wanted: dict[str, set[tuple[str, str]]] = {}
    for step in steps:
        match step:
            case str(current):
                found = choose(path, current)
            case (current, market, watched):
                held = wanted.setdefault(current, set())
                (held.add if watched else held.discard)(market)
                found = mark(path, current, market, watched=watched)
        assert found == read_watchlists(path) and found.current == current
        assert found.watched == wanted.get(current, set())
        assert found.sizes() == {name: len(held) for name, held in sorted(wanted.items()) if held}
    assert not path.exists() or path.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in path.parent.iterdir()} <= {"watch.toml"}, "nothing half written stays"


@pytest.mark.parametrize("name", ["", "Weather", "two words", "-x", "a" * 21, "naïve", "a.b", "a\n"])
def test_a_list_has_a_name_that_fits_a_title_and_a_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(WatchlistError, match="use up to 20 small letters, digits and dashes"):
        choose(tmp_path / "watch.toml", name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"kalshi = [", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"kalshi = " + b"1" * 5000, "a number in it is too large"),
        (b"kalshi = " + b"[" * 5000, "too deep"),
        (b"kalshi = ['A']\n", "holds no watchlists"),
        (b"[lists]\nmine = ['A']\n", "holds no watchlists"),
        (b"[lists.mine]\nkalshi = 'A'\n", "Expected `array`, got `str`"),
        (b"[lists.mine]\nkalshi = [1]\n", "Expected `str`, got `int`"),
        (b"[lists.'My list']\nkalshi = ['A']\n", "'My list'"),
        (b"current = '\\u202e'\n".replace(b"'", b'"'), "a watchlist cannot be called"),
        (b"#" * (1024 * 1024 + 1), "is longer than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_stays_as_it_is(
    text: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "watch.toml"
    path.write_bytes(text)
    uses = (
        lambda: read_watchlists(path),
        lambda: mark(path, MAIN, ("kalshi", "A"), watched=True),
        lambda: choose(path, "weather"),
    )
    for use in uses:
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


async def test_marks_are_seen_and_kept_in_the_list_that_is_chosen_and_taken_back(directory: Path) -> None:
    path = directory / "watch.toml"
    path.write_bytes(b"mine = [")
    async with running(directory, cards=False, watchlist=path) as desk:
        app = desk.app
        await desk.press("2", "end", "asterisk")
        await desk.shows("is no TOML")
        assert path.read_bytes() == b"mine = [" and not app.operator.watched
        path.write_text('current = "far"\n[lists.far]\npolymarket = ["elsewhere"]\n')
        await desk.press("asterisk")
        static = app.view.statics[app.selected("markets")]
        await desk.shows(f"*{static.label}")
        await desk.shows(f"{static.label}: watched")
        await desk.shows("MARKETS 15  *far")
        far = {"far": {"polymarket": ["elsewhere"], static.venue: [static.ticker]}}
        assert tomllib.loads(path.read_text()) == {"current": "far", "lists": far}
        await desk.press("colon", *"watch", "space", *"Near", "enter")
        await desk.shows("watchlist near: nothing in it yet")
        await desk.shows("; others: far 2")
        await desk.shows("MARKETS 15  *near")
        assert f"*{static.label}" not in desk.text
        await desk.press("asterisk", "colon", *"watch near", "enter")
        await desk.shows("watchlist near: 1 market;")
        await desk.press("asterisk")
        await desk.press("colon", *"watch", "space", *"f", "tab", "enter")
        await desk.shows("watchlist far: 2 markets")
        await desk.press("slash", *"watch", "enter", "home")
        await desk.shows("1 of 15")
        await desk.press("asterisk")
        await desk.shows(f"{static.label}: no longer watched")
        kept = {"current": "far", "lists": {"far": {"polymarket": ["elsewhere"]}}}
        assert tomllib.loads(path.read_text()) == kept
        await desk.press("colon", *"watch", "space", *static.ticker.lower(), "enter")
        await desk.shows("is a market: * marks the one under the cursor")
        assert f"*{static.label}" not in desk.text
