"""Merging frames: the latest value wins, keys never change meaning, age is known."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import Frame
from core.control.tables.markets import MarketRow
from tests.tui import rows
from tui import tables
from tui.lines import plain
from tui.ordering import Ordering
from tui.scene import Scene
from tui.tables import FAIR, Now, clean
from tui.view_model import ViewModel
from tui.widgets.fair_values import measured, model_name
from tui.widgets.live_table import plan
from tui.widgets.market_table import COLUMNS, MARKETS, MarketTable

NOW = Now(1_000 * rows.S, 1_700_000_000_000)


@pytest.fixture
def view() -> ViewModel:
    model = ViewModel()
    model.connected = True
    model.apply(rows.snapshot(NOW, "me"), NOW)
    return model


def later(seconds: float) -> Now:
    return Now(NOW.mono_ns + int(seconds * 1e9), NOW.wall_ms + int(seconds * 1000))


def test_a_sentence_of_the_engine_names_markets_as_the_screen_does(view: ViewModel) -> None:
    ticker, label = view.statics[2].ticker, view.label(2)
    told = view.in_labels(f"P3 sent: BUY NO 28 @ 67c {ticker}, order ef0d. {ticker}. {ticker}5 is none")
    assert told == f"P3 sent: BUY NO 28 @ 67c {label}, order ef0d. {label}. {ticker}5 is none"


def test_a_full_snapshot_in_parts_replaces_everything_at_its_last_part(view: ViewModel) -> None:
    kept = rows.markets(NOW)[:1]
    first = Frame(9, NOW.mono_ns, full=True, part=0, parts=2, statics=rows.statics()[:1])
    assert view.apply(first, NOW) == frozenset()
    assert len(view.markets) == 15
    view.apply(Frame(9, NOW.mono_ns, full=True, part=1, parts=2, markets=kept), NOW)
    assert list(view.markets) == [2] and not view.orders and not view.proposals


def test_a_delta_names_the_tables_it_touched(view: ViewModel) -> None:
    changed = view.apply(Frame(2, NOW.mono_ns, orders=(rows.order(NOW, state="PARTIAL"),)), NOW)
    assert changed == {"orders"}
    assert view.apply(Frame(3, NOW.mono_ns), NOW) == frozenset()
    assert view.apply(Frame(4, NOW.mono_ns, gone_proposals=("4F2A",)), NOW) == {"proposals"}
    assert [card.id for card in view.cards()] == ["77C1"]


def test_a_new_fair_value_is_told_apart_from_a_book_that_moves(view: ViewModel) -> None:
    (nyc, *_) = rows.events()
    first, *rest = nyc.brackets
    replace = msgspec.structs.replace
    moved = replace(nyc, brackets=(replace(first, book=4100, edge=7, sigma=12), *rest), score="worse")
    assert view.apply(Frame(2, NOW.mono_ns, events=(moved,)), NOW) == {"events"}
    news = (
        replace(nyc, mean=48.7),
        replace(nyc, inputs=(replace(nyc.inputs[0], event_world_ms=1), *nyc.inputs[1:])),
        replace(nyc, refusal="KNYC obs is 130 min old, limit 120 min"),
        replace(nyc, brackets=(replace(first, fair=4711), *rest)),
        replace(nyc, event="NEW"),
    )
    for row in news:
        view.apply(Frame(3, NOW.mono_ns, events=(nyc,)), NOW)
        assert view.apply(Frame(4, NOW.mono_ns, events=(row,)), NOW) == {"events", FAIR}


def test_a_price_change_flashes_once_and_ends(view: ViewModel) -> None:
    old = view.markets[2]
    view.apply(Frame(2, NOW.mono_ns, markets=(msgspec.structs.replace(old, bid=3300),)), NOW)
    assert 2 in view.bid_flash_ns and 2 not in view.ask_flash_ns
    assert view.flashing(later(0.2)) and not view.flashing(later(0.31))


def test_size_changes_do_not_flash(view: ViewModel) -> None:
    row = msgspec.structs.replace(view.markets[2], bid_size=1)
    view.apply(Frame(2, NOW.mono_ns, markets=(row,)), NOW)
    assert not view.flashing(NOW)


def test_the_view_lags_after_one_second_and_the_engine_is_gone_after_three(view: ViewModel) -> None:
    assert not view.lags(later(0.9)) and view.lags(later(1.1))
    assert not view.engine_down(later(2.9)) and view.engine_down(later(3.1))
    view.connected = False
    assert view.engine_down(NOW)


def test_world_time_runs_with_its_factor(view: ViewModel) -> None:
    assert view.world_ms(later(10)) - view.world_ms(NOW) == 1_440_000


def test_a_heartbeat_vouches_for_a_quiet_book_only_while_it_is_intact(view: ViewModel) -> None:
    row = msgspec.structs.replace(view.markets[30], intact=True)
    assert view.book_age_s(row, NOW) == pytest.approx(0.4)
    assert view.book_age_s(view.markets[30], NOW) == pytest.approx(14.0)


def test_cards_put_exits_first_and_unknown_orders_are_pinned(view: ViewModel) -> None:
    exit_card = rows.card(NOW, id="EXIT", fingerprint="fx", closes=True, edge=1)
    unknown = rows.order(NOW, client_order_id="pm-u", state="UNKNOWN", created_ns=1)
    view.apply(Frame(2, NOW.mono_ns, proposals=(exit_card,), orders=(unknown,)), NOW)
    assert [card.id for card in view.cards()] == ["EXIT", "4F2A", "77C1"]
    assert view.working()[0].client_order_id == "pm-u"


def test_current_market_and_event_limits_come_first(view: ViewModel) -> None:
    labels = [row.label for row in view.limit_list(2)]
    assert labels[:3] == ["market", "event", "filled in 15 s"]
    nearest = view.nearest_limit()
    assert nearest is not None and nearest.label == "filled in 15 s"


def test_hostile_text_is_clean_wherever_it_enters(view: ViewModel) -> None:
    evil = "\x1b[2J[@click=app.quit]x[/]\u202e🙂" + "y" * 1_000_000
    card = rows.card(NOW, why=evil, evidence=(evil,))
    static = msgspec.structs.replace(rows.statics()[0], title=evil)
    view.apply(Frame(2, NOW.mono_ns, proposals=(card,), statics=(static,)), NOW)
    for text in (view.proposals["4F2A"].why, view.proposals["4F2A"].evidence[0], view.statics[2].title):
        assert text.isprintable() and len(text) <= 400


def test_clean_rows_are_not_copied() -> None:
    row: MarketRow = rows.markets(NOW)[0]
    assert clean(row) is row


def test_the_journal_keeps_each_entry_once(view: ViewModel) -> None:
    view.apply(Frame(2, NOW.mono_ns, journal=rows.journal(NOW)), NOW)
    assert [row.seq for row in view.journal] == [101, 102, 103]


def test_a_status_in_which_only_moments_went_on_changes_nothing_to_draw() -> None:
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "me"), NOW)
    assert view.status is not None
    links = tuple(
        msgspec.structs.replace(link, heartbeat_ns=link.heartbeat_ns + 1) for link in view.status.links
    )
    older = msgspec.structs.replace(view.status, links=links)
    assert "status" not in view.apply(Frame(2, NOW.mono_ns, status=older), NOW)
    assert view.status.links == links
    halted = msgspec.structs.replace(older, level="HALTED")
    assert "status" in view.apply(Frame(3, NOW.mono_ns, status=halted), NOW)


def test_the_age_of_a_fresh_book_stands_still_between_two_pings(view: ViewModel) -> None:
    (age,) = (column.cell for column in COLUMNS if column.name == "age")
    key, made_ms = rows.MARKETS[0][0], NOW.mono_ns // 1_000_000
    view.markets[key] = msgspec.structs.replace(view.markets[key], message_ms=made_ms)
    shown = {after: age(Scene(view, later(after), 160), key).text for after in (0.1, 0.9, 1.9, 2.1, 14.2)}
    assert shown == {0.1: "1s", 0.9: "1s", 1.9: "1s", 2.1: "2s", 14.2: "14s"}


def test_what_has_traded_has_a_column_where_the_table_is_wide(view: ViewModel) -> None:
    (volume,) = (column.cell for column in COLUMNS if column.name == "vol")
    key = rows.MARKETS[0][0]
    assert volume(Scene(view, NOW, 200), key).text == "--"
    view.markets[key] = msgspec.structs.replace(view.markets[key], volume=18_432 * rows.C)
    assert volume(Scene(view, NOW, 200), key).text == "18k"
    wide = {"vol", "spark", "id"}
    shown = {width: wide & {c.name for c in plan(COLUMNS, width)} for width in (80, 96, 105, 120, 160)}
    assert shown[80] == shown[96] == set()
    assert shown[105] == {"vol"} and shown[120] == {"vol", "spark"} and shown[160] == wide


def test_a_desk_that_follows_nothing_does_not_seem_to_load_for_ever() -> None:
    said = {}
    for starting in ((("markets", False),), (("markets", True),)):
        view = ViewModel()
        view.apply(Frame(1, NOW.mono_ns, status=rows.status(NOW, session="me", starting=starting)), NOW)
        said[starting[0][1]] = plain(MarketTable()._empty(Scene(view, NOW, 160)))
    assert said[False].startswith(" Loading markets from KAL: 0 of ?")
    assert said[True].startswith(" No market on the desk: [markets] in config.toml names none")


def test_a_week_of_orders_and_markets_leaves_the_newest(
    view: ViewModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ORDERS_MAX", 20)
    monkeypatch.setattr(tables, "NAMES_KEPT", 20)
    working = {row.client_order_id for row in view.working()}
    (static, *_) = rows.statics()
    for number in range(100):
        over = rows.order(NOW, client_order_id=f"pm-{number}", ended_ns=NOW.mono_ns + number)
        named = msgspec.structs.replace(static, key=1000 + number)
        view.apply(Frame(2 + number, NOW.mono_ns, orders=(over,), statics=(named,)), NOW)
    assert working <= view.orders.keys(), "what works is never dropped"
    ended = [row.client_order_id for row in view.ended()]
    assert 0 < len(ended) <= 20 and ended == [f"pm-{99 - n}" for n in range(len(ended))], "the newest"
    shown = {row.key for row in view.orders.values()} | view.markets.keys() | view.positions.keys()
    assert shown <= view.statics.keys(), "a name that some row needs is never dropped"
    assert [key for key in view.statics if key not in shown] == list(range(1080, 1100)), "the newest"


def test_a_desk_of_ten_thousand_markets_names_them_all() -> None:
    view = ViewModel()
    (static, *_), (market, *_) = rows.statics(), rows.markets(NOW)
    many = range(10_000)
    named = tuple(msgspec.structs.replace(static, key=key) for key in many)
    booked = tuple(msgspec.structs.replace(market, key=key) for key in many)
    view.apply(Frame(1, NOW.mono_ns, full=True, parts=1, statics=named, markets=booked), NOW)
    assert len(Ordering(MARKETS).keys(Scene(view, NOW, 160), view.markets, still=False)) == 10_000


def test_an_edge_that_waits_for_a_word_is_sorted_behind_those_that_can_be_traded(view: ViewModel) -> None:
    waiting = msgspec.structs.replace(view.markets[60], edge=2_000, edge_word="conf")
    view.apply(Frame(2, NOW.mono_ns, markets=(waiting,)), NOW)
    assert Ordering(MARKETS).keys(Scene(view, NOW, 160), view.markets, still=False)[-1] == 60
    column = next(column for column in COLUMNS if column.name == "edge")
    assert column.cell(Scene(view, NOW, 160), 60).text == "conf"


def test_figures_are_told_in_the_unit_of_what_they_are_about(view: ViewModel) -> None:
    scene, weather = Scene(view, NOW, 160), next(iter(view.events.values()))
    assert measured(scene, weather, 48.62) == "48.6F"
    hourly = msgspec.structs.replace(weather, model="hourly-temperature", brackets=())
    assert measured(scene, hourly, 79.814) == "79.81F"
    other = msgspec.structs.replace(weather, brackets=())
    told = [measured(scene, other, value) for value in (76_379.42, 1.148061, 0.003_456_78, None)]
    assert told == ["76379.4", "1.14806", "0.00346", "--"]


@pytest.mark.parametrize(
    ("model", "version", "told"),
    [
        ("default", "default 1 d7d2e588521b.df92e390", "EMOS-t d7d2e58"),
        ("default", "rolling 1.df92e390", "rolling 1"),
        ("rolling", "1.df92e390", "rolling 1"),
        ("emos-t", "emos-t 1 d7d2e588521b.df92e390", "EMOS-t alone d7d2e58"),
        ("index-mean", "2", "index-mean 2"),
        ("cpi", "cpi-1.df92e390", "cpi-1"),
    ],
)
def test_a_model_is_told_by_its_name_in_the_field_once(
    view: ViewModel, model: str, version: str, told: str
) -> None:
    event = next(iter(view.events.values()))
    assert model_name(msgspec.structs.replace(event, model=model, version=version)) == told
