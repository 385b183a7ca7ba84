"""From rows back to sense: what the desk must still know, one order's story, lines for other tools."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.clock import SystemClock
from core.domain.market import Venue
from core.domain.order import BookSide, Fill, Order, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity, contracts
from core.execution.events import (
    CancelAnswered,
    CancelSent,
    LedgerEvent,
    OrderAnswered,
    OrderEvent,
    OrderFilled,
    OrderHandedOver,
    OrderIntended,
    OrderNeverArrived,
    OrderReported,
)
from core.execution.ledger import Ledger
from core.execution.replaying import replay
from core.journal.events import Event, Kind, Row
from core.journal.export import export
from core.journal.files import JournalError
from core.journal.opening import Identity
from core.journal.projections import (
    ORDER_KINDS,
    LimitChanged,
    ModeChanged,
    PauseChanged,
    Started,
    project,
)
from core.journal.store import Durability, MemoryJournal, open_journal
from core.journal.why import why, why_row
from core.journal.wording import LEVELS, text_of
from core.risk.halts import GLOBAL, Halt, Halts, HaltScope, Level, ScopeKind
from core.risk.limits import DEFAULTS, LiveLimits
from core.risk.trips import Trip, TripKind
from core.venues.venue import (
    Accepted,
    Cancelled,
    NotThere,
    OrderReport,
    Rejected,
    ReportStatus,
    SettlementReport,
    Unresolved,
)


def an_intent(client: str = "pm-r1-0001-abc", ticker: str = "T") -> OrderIntent:
    return OrderIntent(
        client_order_id=client,
        venue=Venue.KALSHI,
        ticker=ticker,
        side=BookSide.BID,
        purpose=Purpose.OPEN,
        price=Price(3200),
        quantity=contracts(10),
        tif=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        expires_ms=1_700_000_120_000,
        created_ms=1_700_000_000_000,
        reserved=Money(3_200_000),
        proposal_id="4F2A",
    )


def a_fill(trade: str = "t1", count: int = 4, order_id: str = "v-1", ticker: str = "T") -> Fill:
    return Fill(
        trade, Venue.KALSHI, ticker, order_id, BookSide.BID, Price(3200), contracts(count), Money(0), False, 5
    )


def a_report(
    status: ReportStatus, filled: int, client: str = "pm-r1-0001-abc", ticker: str = "T"
) -> OrderReport:
    return OrderReport(
        "v-1",
        client,
        ticker,
        BookSide.BID,
        Price(3200),
        contracts(10),
        contracts(filled),
        Quantity(0),
        status,
    )


def rows_of(*events: Event) -> list[Row]:
    journal = MemoryJournal(SystemClock())
    for event in events:
        journal.append(event)
    return journal.rows


# --- the desk ---------------------------------------------------------------------------------


def test_halts_limits_mode_and_pauses_come_back_as_they_were() -> None:
    market, other = HaltScope(ScopeKind.MARKET, "T"), HaltScope(ScopeKind.MARKET, "U")
    halts, first = Halts().rise(Halt(market, Level.REDUCE_ONLY, "late fill", 1, "engine"))
    halts, second = halts.rise(Halt(GLOBAL, Level.HALTED, "H pressed", 2, "console pid 1 (uid 2)"))
    halts, third = halts.rise(Halt(market, Level.HALTED, "overfill", 3, "engine"))
    halts, fourth = halts.rise(Halt(other, Level.HALTED, "foreign fill", 4, "engine"))
    live = LiveLimits.at_ceilings(DEFAULTS).set_live("market_loss_max", "40")
    assert isinstance(live, LiveLimits)
    desk = project(
        rows_of(
            *(Event(Kind.HALT, halt) for halt in (first, second, third, fourth)),
            Event(Kind.LIMIT, LimitChanged("market_loss_max", 100_000_000, 40_000_000, 100_000_000)),
            Event(Kind.LIMIT, LimitChanged("edge_min", 200, 300, 200)),
            Event(Kind.LIMIT, LimitChanged("edge_min", 300, 200, 200, "calm")),
            Event(Kind.MODE, ModeChanged("auto", "going out")),
            Event(Kind.PAUSE, PauseChanged("entries", True)),
            Event(Kind.PAUSE, PauseChanged("*", True, "lunch"), actor="console pid 1 (uid 2)"),
            Event(Kind.PROPOSAL, {"proposal_id": "1", "text": "a card"}),
        )
    )
    assert set(Halts.restored(msgspec.convert(h, Halt) for h in desk.halts.values()).standing) == set(
        halts.standing
    )
    assert desk.limits == {"market_loss_max": 40_000_000, "edge_min": 200}
    assert LiveLimits.restored(DEFAULTS, desk.limits) == live
    assert (desk.mode, desk.paused, desk.proposals) == ("auto", {"entries", "*"}, 1)
    assert desk.last_pause is not None and desk.last_pause.since_wall_ms > 0
    assert (desk.last_pause.by, desk.last_pause.why) == ("console pid 1 (uid 2)", "lunch")


def test_limits_in_force_are_those_of_the_last_start_and_what_was_set_since() -> None:
    start = Started("engine starts", in_force={"market_loss_max": 90, "edge_min": 200})
    later = Event(Kind.LIMIT, LimitChanged("edge_min", 200, 300, 200))
    before = Event(Kind.LIMIT, LimitChanged("day_loss_max", 75, 60, 75))
    assert project(rows_of(before, Event(Kind.START, start), later)).limits == {
        "market_loss_max": 90,
        "edge_min": 300,
    }


def test_what_is_off_comes_back_off_until_it_was_switched_on_again() -> None:
    streak = Trip(TripKind.STREAK, "5 losing closes in a row", 1)
    repeat = Trip(TripKind.REPEAT, "10 automatic entries", 2, "T", "entries")
    again = msgspec.structs.replace(repeat, since_wall_ms=9, by="cli", reason="looked at it")
    desk = project(rows_of(*(Event(Kind.TRIP, t) for t in (streak, repeat)), Event(Kind.ENABLE, again)))
    assert msgspec.convert(list(desk.trips.values()), list[Trip]) == [streak]
    assert msgspec.convert(list(desk.enabled.values()), list[Trip]) == [again]


def test_a_resumed_scope_and_an_ended_flatten_do_not_come_back() -> None:
    standing = Halt(GLOBAL, Level.LOCKED, "flat", 1, "engine")
    desk = project(
        rows_of(
            Event(Kind.HALT, standing),
            Event(Kind.FLATTEN_START, {"text": "flatten"}),
            Event(Kind.FLATTEN_END, {"text": "flat"}),
            Event(Kind.RESUME, Halt(GLOBAL, Level.NORMAL, "all clear", 2, "cli pid 3 (uid 4)", True)),
            Event(Kind.PAUSE, PauseChanged("a", True)),
            Event(Kind.PAUSE, PauseChanged("*", False)),
        )
    )
    assert Halts.restored(msgspec.convert(h, Halt) for h in desk.halts.values()) == Halts()
    assert not desk.flattening and desk.paused == set()
    assert project(rows_of(Event(Kind.FLATTEN_START, {"text": "x"}))).flattening
    assert tuple(level.name for level in Level) == LEVELS


# --- orders -----------------------------------------------------------------------------------

CLIENTS = ("pm-1", "pm-2")


class Deaf:
    """A listener that does nothing with what it hears."""

    def on_order_changed(self, before: Order | None, after: Order) -> None: ...

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None: ...

    def on_trade_confirmed(self, ticker: str) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None: ...

    def on_anomaly(self, ticker: str, anomaly: object) -> None: ...

    def on_settled(self, report: SettlementReport) -> None: ...

    def on_externals_changed(self, ticker: str) -> None: ...

    def on_adjusted(self, ticker: str) -> None: ...


def recording(journal: MemoryJournal) -> Ledger:
    def record(event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
        kind = Kind(event.__struct_config__.tag)
        return journal.append(Event(kind, event, order_id=client_order_id, ticker=ticker))

    return Ledger(record, Deaf())


def replayed(rows: Iterable[Row]) -> Ledger:
    ledger = recording(MemoryJournal(SystemClock()))
    decoder = msgspec.json.Decoder(LedgerEvent)
    replay(
        ledger,
        ((row.seq, row.order_id, decoder.decode(row.payload)) for row in rows if row.kind in ORDER_KINDS),
        0,
    )
    return ledger


steps = st.one_of(
    st.just(OrderHandedOver(7)),
    st.sampled_from(
        [
            OrderAnswered(Accepted("v-1", contracts(4), contracts(6), 5), 6),
            OrderAnswered(Rejected("no", "market closed"), 6),
            OrderAnswered(Unresolved("timeout"), 6),
            CancelSent("wanted gone"),
            CancelAnswered(Cancelled("v-1", contracts(6))),
            CancelAnswered(NotThere("v-1", "not_found")),
            OrderNeverArrived(3, 61),
        ]
    ),
    st.builds(
        lambda n, count: OrderFilled(a_fill(f"t{n}", count), "stream"), st.integers(1, 4), st.integers(1, 5)
    ),
    st.builds(
        lambda status, filled: OrderReported(a_report(status, filled), "list"),
        st.sampled_from(ReportStatus),
        st.integers(0, 10),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CLIENTS), steps), max_size=15), st.booleans())
def test_a_replayed_journal_is_the_live_desk(story: list[tuple[str, OrderEvent]], settled: bool) -> None:
    journal = MemoryJournal(SystemClock())
    live = recording(journal)
    for client in CLIENTS:
        live.intend(OrderIntended(an_intent(client, ticker=f"T-{client}"), "passed"))
    for client, event in story:
        ticker = f"T-{client}"
        match event:
            case OrderFilled(fill=fill, source=source):
                own = msgspec.structs.replace(
                    fill, ticker=ticker, trade_id=f"{client} {fill.trade_id}", order_id=f"v-{client}"
                )
                live.apply(client, OrderFilled(own, source))
            case OrderReported(report=report, source=source):
                named = msgspec.structs.replace(report, ticker=ticker, order_id=f"v-{client}")
                live.apply(client, OrderReported(named, source))
            case _:
                live.apply(client, event)
    if settled:
        live.settle(SettlementReport("T-pm-1", Price(10_000), "yes", 9))
    again = replayed(journal.rows)
    assert again.orders == live.orders
    assert again.live == live.live
    assert again.positions == live.positions
    assert again.fills == live.fills
    assert again.rows == live.rows


# --- the story --------------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """One order from forecast to fill, with another order beside it."""
    path = tmp_path / "journal-w1.db"

    async def write() -> None:
        log = open_journal(
            path,
            Identity("w1", "demo", "0.1", "boot", "r1"),
            SystemClock(),
            durability=Durability.NORMAL,
            on_fault=lambda fault: None,
        )
        client = an_intent().client_order_id

        def add(
            kind: Kind, payload: object, cause: int | None = None, order: str = "", actor: str = "engine"
        ) -> int:
            return log.append(Event(kind, payload, order, "T", cause, actor))

        issue = add(Kind.FEED, {"text": "METEO issued 12Z"})
        fair = add(Kind.FAIR, {"text": "NYC hi: mean 48.6F, 3 of 4 forecasts moved +1.5F"}, issue)
        card = add(Kind.PROPOSAL, {"proposal_id": "4F2A", "text": "BUY YES 10 @ 32c, net +5.8c"}, fair)
        add(Kind.PROPOSAL, {"proposal_id": "OTHER", "text": "another card"}, fair)
        ok = add(
            Kind.APPROVAL, {"proposal_id": "4F2A", "text": "approved"}, card, actor="console pid 7 (uid 8)"
        )
        gate = '{"passed":true,"book":{"best_bid":3100,"best_ask":3400}}'
        intent = add(Kind.ORDER_INTENT, OrderIntended(an_intent(), gate), ok, client)
        add(Kind.ORDER_INTENT, OrderIntended(an_intent("pm-r1-0002-def"), "passed"), None, "pm-r1-0002-def")
        add(Kind.PROPOSAL_STATE, {"proposal_id": "4F2A", "text": "4F2A SENT order abc"}, ok)
        sent = add(
            Kind.SEND_OUTCOME,
            OrderAnswered(Accepted("v-1", Quantity(0), contracts(10), 1), 2),
            intent,
            client,
        )
        add(Kind.FILL, OrderFilled(a_fill(), "stream"), sent, client)
        await log.close()

    asyncio.run(write())
    return path


@pytest.mark.parametrize("given_id", ["pm-r1-0001-abc", "pm-r1-0001", "abc", "v-1"])
def test_why_tells_the_whole_story_of_one_order(told: Path, given_id: str) -> None:
    lines = why(told, given_id)
    story = [line for line in lines if "#" in line]
    for line, words in zip(
        story,
        [
            ("FEED", "METEO issued 12Z"),
            ("FAIR", "3 of 4 forecasts", "<- #1"),
            ("PROPOSAL", "net +5.8c", "<- #2"),
            ("APPROVAL", "[console pid 7 (uid 8)]", "<- #3"),
            ("ORDER_INTENT", "BUY YES 10.00 @ 32c post-only in T, reserved 3.20", "<- #5"),
            ("PROPOSAL_STATE", "4F2A SENT order abc"),
            ("SEND_OUTCOME", "accepted as v-1, filled 0.00, resting 10.00"),
            ("FILL", "bought 4.00 at 32c of YES as maker", "trade t1"),
        ],
        strict=True,
    ):
        assert all(word in line for word in words), line
    assert '          book: {"best_bid":3100,"best_ask":3400}' in lines
    assert not any("another card" in line for line in lines)


def test_why_refuses_what_it_cannot_name(told: Path) -> None:
    with pytest.raises(JournalError, match=r"fits more than one order: pm-r1-0001-abc, pm-r1-0002-def"):
        why(told, "pm-r1")
    for unknown in ("nope", "", "%"):
        with pytest.raises(JournalError, match="There is no order"):
            why(told, unknown)
    with pytest.raises(JournalError, match="There is no row 99"):
        why_row(told, 99)


def numbers(lines: tuple[str, ...]) -> list[int]:
    return [int(line.split("#")[1].split()[0]) for line in lines if "#" in line]


def test_a_card_tells_its_story_and_those_of_the_orders_it_became(told: Path) -> None:
    lines = why(told, "4F2A")
    assert lines[0] == "card 4F2A" and numbers(lines) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert numbers(why(told, "OTHER")) == [1, 2, 4], "with what led to it"


def test_a_row_tells_the_story_of_its_order_or_card_or_what_led_to_it_and_what_it_led_to(told: Path) -> None:
    assert why_row(told, 10) == why(told, "pm-r1-0001-abc"), "a fill"
    assert why_row(told, 8) == why_row(told, 5) == why(told, "4F2A"), "its approval, how it became an order"
    assert why_row(told, 2)[0] == "row 2" and numbers(why_row(told, 2)) == [1, 2, 3, 4], (
        "two cards came of it"
    )


def test_export_is_one_json_object_a_line_with_the_payload_inside(told: Path) -> None:
    lines = [msgspec.json.decode(line) for line in export(told)]
    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert lines[5]["payload"]["intent"]["price"] == 3200
    assert lines[1]["prev_hash"] == lines[0]["hash"]
    assert lines[0]["at"].endswith("Z") and "T" in lines[0]["at"]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_line_even_for_a_payload_of_another_program(kind: Kind) -> None:
    (row,) = rows_of(Event(kind, {"surprise": [1, {"a": None}]}))
    assert text_of(row)
    (row,) = rows_of(Event(kind, {"text": "said\x1b[2J so" + "x" * 5_000}))
    assert text_of(row).startswith("said[2J so") and len(text_of(row)) <= 300
