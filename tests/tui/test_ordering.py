"""Thousands of rows: sorted when due, never under the hand, narrowed by words, merged without a stall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.geometry import Region, Size

from core.control.protocol import Frame
from core.control.tables.markets import MarketRow, MarketStatic
from core.control.tables.orders import OrderRow
from tests.tui import rows
from tui import ordering, tables
from tui.operator import Operator
from tui.ordering import CURSOR_HOLD_NS, SORT_EVERY_NS, MarketOrdering
from tui.scene import Scene
from tui.screens.orders import DoneTable
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.alarms import Alarms
from tui.widgets.feed_table import FeedTable
from tui.widgets.live_table import LiveTable
from tui.widgets.market_table import MARKETS, MarketTable
from tui.widgets.order_table import OrderTable
from tui.widgets.position_table import PositionTable

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


@settings(max_examples=25, deadline=None)
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


# --- tables -----------------------------------------------------------------------------------------------


class Painted(NamedTuple):
    """A table of a size, drawn without a terminal."""

    table: LiveTable
    regions: list[Region]
    """What the last paint asked the terminal to write; empty when all of it."""

    @property
    def rows(self) -> list[str]:
        return self.table.text.splitlines()


def sized(table: LiveTable, width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> Painted:
    regions: list[Region] = []
    monkeypatch.setattr(type(table), "size", Size(width, height))
    monkeypatch.setattr(table, "refresh", lambda *found: regions.extend(found))
    return Painted(table, regions)


def desk_of(**tables: object) -> Scene:
    view = ViewModel()
    view.connected = True
    view.apply(rows.snapshot(NOW, "me"), NOW)
    view.apply(Frame(2, NOW.mono_ns, **tables), NOW)
    return Scene(view, NOW, 160, controls=True)


def many_orders(count: int) -> tuple[OrderRow, ...]:
    return tuple(
        rows.order(
            NOW, client_order_id=f"pm-{n:04}", quantity=rows.C * (n % 7 + 1), created_ns=NOW.mono_ns - n
        )
        for n in range(count)
    )


def test_a_table_says_which_of_its_rows_are_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = desk_of(orders=many_orders(998))
    painted = sized(OrderTable(), 120, 48, monkeypatch)
    monkeypatch.setattr(OrderTable, "has_focus", True)
    table = painted.table
    assert isinstance(table, OrderTable)
    table.show(scene, scene.view.working(), foot=False)
    assert " 1-46 of 1,000   c cancel" in painted.rows[0]
    table.move(0)
    table.move(56)
    table.show(scene, scene.view.working(), foot=False)
    assert " 12-57 of 1,000   c cancel" in painted.rows[0]
    assert len(painted.rows) == 48
    table.ordering and table.ordering.narrow("pm-0001")
    table.show(scene, scene.view.working(), foot=False)
    assert " of " not in painted.rows[0], "all of it is in sight"


def test_markets_begin_at_their_first_row_until_the_cursor_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    view, keys = ViewModel(), [*range(40)]
    for frame in parts(*markets(40)):
        view.apply(frame, NOW)
    table = MarketTable()
    sized(table, 160, 22, monkeypatch)

    def first_shown(**at: int) -> object:
        table.show(Scene(view, NOW, 160, **at), keys)
        return keys[int(table.text.splitlines()[0].rpartition("-")[0].split()[-1]) - 1]

    assert first_shown(current=30) == 11, "the card's market, before the rows are sorted by it"
    assert first_shown(current=1) == 0
    assert first_shown(current=1, cursor=30) == 11
    assert first_shown(current=1, cursor=15) == 11, "what is in sight stays where it is"


def test_orders_sort_by_any_column_with_unknown_ones_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = rows.order(NOW, client_order_id="pm-lost", state="UNKNOWN", quantity=rows.C * 3, created_ns=1)
    scene = desk_of(orders=(*many_orders(20), lost))
    table = OrderTable()
    sized(table, 120, 40, monkeypatch)
    order = table.ordering
    assert order is not None
    while order.sort.name != "qty":
        order.next_sort()
    for turned in (False, True):
        table.show(scene, scene.view.working())
        first, *rest = [scene.view.orders[str(key)] for key in table.keys]
        assert first.client_order_id == "pm-lost"
        sizes = [row.quantity for row in rest]
        assert sizes == sorted(sizes, reverse=not turned)
        order.reverse()
    assert "sort: qty reversed" in table.text.splitlines()[0]


def test_without_a_cursor_to_see_an_order_that_is_filtered_away_is_not_the_one_to_cancel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = msgspec.structs.replace(desk_of(orders=many_orders(3)), current=50)
    table = OrderTable()
    sized(table, 120, 40, monkeypatch)
    table.show(scene, scene.view.working())
    own = table.cursor_key
    assert scene.view.orders[str(own)].key == scene.current
    table.ordering and table.ordering.narrow("market:chi")
    table.show(scene, scene.view.working())
    assert len(table.keys) > 1 and own not in table.keys
    assert table.cursor_key is None, "no other order takes its place"
    table.ordering and table.ordering.narrow("market:den")
    table.show(scene, scene.view.working())
    assert table.keys == [own] and table.cursor_key == own
    table.ordering and table.ordering.narrow("side:buy market:den")
    table.show(scene, scene.view.working())
    assert [scene.view.orders[str(key)].key for key in table.keys] == [50]
    table.ordering and table.ordering.narrow("market:nowhere")
    table.show(scene, scene.view.working())
    assert not table.keys and table.cursor_key is None
    assert 'No row matches "/market:nowhere". Esc shows all.' in table.text


TABLES: tuple[tuple[Callable[[], LiveTable], Callable[[LiveTable, Scene], None]], ...] = (
    (OrderTable, lambda table, scene: table.show(scene, scene.view.working())),
    (lambda: DoneTable(id="done", done=True), lambda table, scene: table.show_done(scene)),
    (PositionTable, lambda table, scene: table.show(scene)),
    (Alarms, lambda table, scene: table.show(scene)),
    (FeedTable, lambda table, scene: table.show(scene)),
)


@pytest.mark.parametrize(("made", "show"), TABLES)
def test_every_table_shows_the_same_rows_in_each_of_its_orders_and_finds_what_it_shows(
    made: Callable[[], LiveTable],
    show: Callable[[LiveTable, Scene], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = tuple(
        msgspec.structs.replace(row, ended_ns=NOW.mono_ns - at, state="FILLED")
        for at, row in enumerate(many_orders(5))
    )
    table, scene = made(), desk_of(orders=ended)
    sized(table, 200, 60, monkeypatch)
    order = table.ordering
    assert order is not None
    show(table, scene)
    usual = table.keys
    heads = [key for key in usual if isinstance(key, tuple) and not key[1]]
    names = [order.sort.name]
    order.next_sort()
    while order.sort.name != names[0]:
        names.append(order.sort.name)
        for _ in range(2):
            show(table, scene)
            assert {*table.keys} | {*heads} == {*usual}, names[-1]
            order.reverse()
        order.next_sort()
    assert len(names) > 2
    show(table, scene)
    assert table.keys == usual
    at = max(at for at, key in enumerate(usual) if key not in heads)
    order.narrow(table.text.splitlines()[1 + table.header + at].split()[1])
    show(table, scene)
    assert table.keys and {*table.keys} <= {*usual}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed=st.dictionaries(st.integers(0, 19), st.integers(100, 9900), max_size=20))
def test_a_paint_writes_from_the_first_to_the_last_changed_cell_of_each_changed_row(
    changed: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = ViewModel()
    view.connected, view.made_ns = True, NOW.mono_ns
    named, booked = markets(20)
    view.statics.update((row.key, row) for row in named)
    view.markets.update((row.key, row) for row in booked)
    painted = sized(MarketTable(), 160, 30, monkeypatch)
    table, scene = painted.table, Scene(view, NOW, 160)
    assert isinstance(table, MarketTable)
    table.show(scene, range(20))
    before = painted.rows
    painted.regions.clear()
    for key, bid in changed.items():
        view.markets[key] = msgspec.structs.replace(booked[key], bid=bid)
    table.show(scene, range(20))
    wanted = {}
    for y, (old, new) in enumerate(zip(before, painted.rows, strict=True)):
        cells = [x for x, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        if cells:
            wanted[y] = cells[0], cells[-1] + 1
    assert {region.y: (region.x, region.right) for region in painted.regions} == wanted
    assert len(wanted) == len(painted.regions) <= len(changed)
    assert all(region.width <= 7 for region in painted.regions), "no more than the price"
