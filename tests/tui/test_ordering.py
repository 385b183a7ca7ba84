"""Thousands of rows: sorted when due, never under the hand, narrowed by words, merged without a stall."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.control.protocol import Frame
from core.control.tables.markets import MarketRow, MarketStatic
from tests.tui import rows
from tui import ordering, tables
from tui.operator import Operator
from tui.ordering import CURSOR_HOLD_NS, SORT_EVERY_NS, MarketOrdering
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.market_table import MARKETS

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
PART = 500


def after(ns: int) -> Now:
    return Now(NOW.mono_ns + ns, NOW.wall_ms + ns // 1_000_000)


def markets(count: int) -> tuple[list[MarketStatic], list[MarketRow]]:
    """Made-up markets, the edge of each its own."""
    (static, *_), (market, *_) = rows.statics(), rows.markets(NOW)
    named = [
        msgspec.structs.replace(static, key=key, label=f"NYC hi {key}", ticker=f"KX-{key}")
        for key in range(count)
    ]
    booked = [
        msgspec.structs.replace(market, key=key, edge=key * 7919 % 9973, mark="", net=0)
        for key in range(count)
    ]
    return named, booked


def parts(named: Sequence[MarketStatic], booked: Sequence[MarketRow]) -> list[Frame]:
    """Everything as the engine sends it: every name before the first book."""
    cut = [("statics", named[at : at + PART]) for at in range(0, len(named), PART)]
    cut += [("markets", booked[at : at + PART]) for at in range(0, len(booked), PART)]
    return [
        Frame(at + 1, NOW.mono_ns, full=True, part=at, parts=len(cut), **{name: tuple(some)})
        for at, (name, some) in enumerate(cut)
    ]


@pytest.fixture(scope="module")
def thousands() -> ViewModel:
    view = ViewModel()
    for frame in parts(*markets(10_000)):
        view.apply(frame, NOW)
    return view


def counting(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[object]:
    """What a function is called with from now on."""
    calls: list[object] = []
    whole: Callable[..., object] = getattr(owner, name)

    def counted(*args: object, **named: object) -> object:
        calls.append(args)
        return whole(*args, **named)

    monkeypatch.setattr(owner, name, counted)
    return calls


# --- merging ----------------------------------------------------------------------------------------------


def test_every_market_of_ten_thousand_keeps_its_name_though_names_come_before_books(
    thousands: ViewModel,
) -> None:
    assert len(thousands.markets) == 10_000
    assert thousands.statics.keys() == thousands.markets.keys()


def test_a_part_is_cleaned_when_it_comes_and_the_last_one_cleans_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view, frames = ViewModel(), parts(*markets(4 * PART))
    cleaned = counting(monkeypatch, tables, "clean")
    for frame in frames:
        cleaned.clear()
        view.apply(frame, NOW)
        assert len(cleaned) == 1 + PART, "the frame and its own rows"


# --- order ------------------------------------------------------------------------------------------------


def test_paints_within_a_second_sort_nothing(thousands: ViewModel, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(thousands, "me", lambda _command: True, coach=False)
    first = operator.scene(NOW, 200).market_keys
    edges = [thousands.markets[key].edge for key in first]
    assert len(first) == 10_000 and edges == sorted(edges, key=lambda edge: -(edge or 0))
    sorts = counting(monkeypatch, ordering.Ordering, "_sorted")
    for tenth in range(10):
        assert operator.scene(after(tenth * SORT_EVERY_NS // 10), 200).market_keys == first
    assert not sorts
    operator.scene(after(SORT_EVERY_NS), 200)
    assert len(sorts) == 1


def test_a_table_turned_round_keeps_rows_without_a_figure_last_and_cards_first() -> None:
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "me"), NOW)
    order, scene = MarketOrdering(MARKETS), Scene(view, NOW, 160)
    usual = order.keys(scene, view.markets, still=False)
    order.reverse()
    turned = order.keys(scene, view.markets, still=False)
    assert usual[0] == turned[0] == 2, "the market with a card"
    bare = {key for key, row in view.markets.items() if row.edge is None and not row.net}
    assert {*usual[-len(bare) :]} == {*turned[-len(bare) :]} == bare
    plain = [
        key for key in usual if key not in bare and not view.markets[key].mark and not view.markets[key].net
    ]
    assert [key for key in turned if key in plain] == plain[::-1] and len(plain) > 3
    assert order.word == "edge reversed"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("card", {2}),
        ("held", {1, 10, 30, 50}),
        ("order", {11, 50}),
        ("venue:kal held 46-", {1}),
        ("venue:poly", set()),
        ("hi CHI 41", {11}),
        ("nowhere:nyc", set()),
    ],
)
def test_a_filter_is_words_that_must_all_be_true(text: str, keys: set[int]) -> None:
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "me"), NOW)
    order = MarketOrdering(MARKETS)
    order.narrow(text)
    assert {*order.keys(Scene(view, NOW, 160), view.markets, still=False)} == keys


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_moves_under_the_hand_while_rows_vanish_come_and_change(data: st.DataObject) -> None:
    named, booked = markets(40)
    view, order = ViewModel(), MarketOrdering(MARKETS)
    view.statics.update((row.key, row) for row in named)
    view.markets.update((row.key, row) for row in booked[:30])
    order.keys(Scene(view, NOW, 160), view.markets, still=False)
    cursor = data.draw(st.sampled_from(range(30)))
    order.moved_cursor(cursor, NOW)
    before = list(order.keys(Scene(view, NOW, 160), view.markets, still=False))
    for at in sorted(data.draw(st.lists(st.integers(1, CURSOR_HOLD_NS - 1), max_size=6))):
        for key in data.draw(st.sets(st.integers(0, 39), max_size=8)):
            if key != cursor and data.draw(st.booleans()):
                view.markets.pop(key, None)
            else:
                edge = data.draw(st.none() | st.integers(-900, 900))
                view.markets[key] = msgspec.structs.replace(booked[key], edge=edge)
        keys = list(order.keys(Scene(view, after(at), 160), view.markets, still=False))
        assert {*keys} == view.markets.keys()
        stayed = [key for key in before if key in view.markets]
        assert [key for key in keys if key in stayed] == stayed, "no two rows change places"
        assert order.cursor == cursor
        before = keys
