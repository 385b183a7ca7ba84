"""The same news in any order, any number of times, gives the same belief."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import Venue
from core.domain.order import Anomaly, BookSide, Fill, Life, Order, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity, contracts
from core.execution.events import (
    LedgerEvent,
    OrderAnswered,
    OrderHandedOver,
    OrderIntended,
    RenewalAnswered,
    RenewalSent,
    SettlementStated,
)
from core.execution.ledger import Ledger
from core.execution.replaying import replay
from core.venues.venue import (
    Accepted,
    OrderReport,
    Renewed,
    RenewUnresolved,
    ReportStatus,
    SettlementRecord,
    SettlementReport,
    Unresolved,
)

TICKER = "KXHIGHNY-26NOV23-B48.5"
CLIENT = "pm-r1-0001-abcdefabcdef"


class Deaf:
    """A listener that only counts what went wrong."""

    def __init__(self) -> None:
        self.anomalies: list[Anomaly] = []

    def on_order_changed(self, before: Order | None, after: Order) -> None:
        return None

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None: ...

    def on_trade_confirmed(self, ticker: str) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None:
        return None

    def on_settled(self, report: SettlementReport) -> None:
        return None

    def on_adjusted(self, ticker: str) -> None:
        return None

    def on_externals_changed(self, ticker: str) -> None:
        return None

    def on_anomaly(self, ticker: str, anomaly: Anomaly) -> None:
        self.anomalies.append(anomaly)


class Desk:
    """A ledger with one order on its way."""

    def __init__(self, ordered: int = 10) -> None:
        self.rows: list[tuple[int, str, LedgerEvent]] = []
        self.ear = Deaf()
        self.ledger = Ledger(self.record, self.ear)
        intent = OrderIntent(
            client_order_id=CLIENT,
            venue=Venue.KALSHI,
            ticker=TICKER,
            side=BookSide.BID,
            purpose=Purpose.OPEN,
            price=Price(4_000),
            quantity=contracts(ordered),
            tif=TimeInForce.GTC,
            post_only=True,
            reduce_only=False,
            expires_ms=120_000,
            created_ms=0,
            reserved=Money(4_000_000),
        )
        self.ledger.intend(OrderIntended(intent, "passed"))
        self.ledger.apply(CLIENT, OrderHandedOver(1))

    def record(self, event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
        self.rows.append((len(self.rows) + 1, client_order_id, event))
        return len(self.rows)

    @property
    def order(self) -> Order:
        return self.ledger.orders[CLIENT]


def fill(number: int, size: int) -> Fill:
    return Fill(
        f"T{number}",
        Venue.KALSHI,
        TICKER,
        "O1",
        BookSide.BID,
        Price(4_000),
        contracts(size),
        Money(0),
        False,
        5,
    )


def report(filled: int, status: ReportStatus, left: int, reason: str = "") -> OrderReport:
    return OrderReport(
        "O1", CLIENT, TICKER, BookSide.BID, Price(4_000), contracts(10), contracts(filled), contracts(left),
        status, reason,
    )  # fmt: skip


MESSAGES = (
    fill(1, 3),
    fill(2, 4),
    report(0, ReportStatus.RESTING, 10),
    report(3, ReportStatus.RESTING, 7),
    report(7, ReportStatus.CANCELED, 0, "ExpiryCancel"),
    OrderAnswered(Accepted("O1", Quantity(0), contracts(10), 3), 3),
)


def tell(desk: Desk, message: object) -> None:
    match message:
        case Fill():
            desk.ledger.offer_fill(message, "", "stream", 0)
        case OrderReport():
            desk.ledger.offer_report(message, "stream", Venue.KALSHI)
        case OrderAnswered() | RenewalAnswered():
            desk.ledger.apply(CLIENT, message)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.permutations(MESSAGES), st.lists(st.sampled_from(MESSAGES), max_size=8))
def test_order_and_repetition_of_messages_change_nothing(first: list[object], again: list[object]) -> None:
    desk = Desk()
    for message in (*first, *again):
        tell(desk, message)
    order = desk.order
    assert (order.life, order.filled, desk.ledger.net(TICKER)) == (Life.EXPIRED, 7_000_000, 7_000_000)
    assert not desk.ledger.live and not desk.ledger.parked
    assert desk.ledger.positions[TICKER].cost == 2_800_000
    halting = [a for a in desk.ear.anomalies if a.kind not in ("illegal transition",)]
    assert not halting


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.permutations(MESSAGES))
def test_a_replay_of_the_rows_is_the_living_ledger(messages: list[object]) -> None:
    desk = Desk()
    for message in messages:
        tell(desk, message)
    stored = [(n, c, msgspec.json.decode(msgspec.json.encode(e), type=LedgerEvent)) for n, c, e in desk.rows]
    again = Ledger(desk.record, Deaf())
    assert replay(again, stored, 0) == []
    assert again.orders == desk.ledger.orders
    assert again.positions == desk.ledger.positions
    assert again.by_order_id == desk.ledger.by_order_id


def test_a_fill_before_its_order_is_known_waits_and_is_applied_once() -> None:
    desk = Desk()
    desk.ledger.offer_fill(fill(1, 3), "", "stream", 0)
    assert desk.ledger.net(TICKER) == 0 and len(desk.ledger.parked) == 1
    desk.ledger.offer_fill(fill(1, 3), "", "look-up", 0)
    desk.ledger.apply(CLIENT, OrderAnswered(Accepted("O1", Quantity(0), contracts(10), 3), 3))
    assert desk.ledger.net(TICKER) == 3_000_000 and not desk.ledger.parked
    assert desk.order.life is Life.WORKING


def test_a_fill_after_an_unanswered_send_proves_it_arrived() -> None:
    desk = Desk()
    desk.ledger.apply(CLIENT, OrderAnswered(Unresolved("timeout"), 3))
    desk.ledger.offer_fill(fill(1, 3), CLIENT, "stream", 0)
    assert desk.order.life is Life.WORKING and desk.order.order_id == "O1"


def test_a_late_fill_is_a_fact_and_an_anomaly() -> None:
    desk = Desk()
    tell(desk, report(0, ReportStatus.CANCELED, 0))
    assert not desk.order.live
    desk.ledger.offer_fill(fill(1, 3), "", "stream", 0)
    assert desk.ledger.net(TICKER) == 3_000_000
    assert [a.kind for a in desk.ear.anomalies] == ["late fill"]


def test_an_end_before_its_fills_keeps_the_reservation() -> None:
    desk = Desk()
    tell(desk, report(7, ReportStatus.CANCELED, 0))
    assert desk.order.live and CLIENT in desk.ledger.live
    tell(desk, fill(1, 3))
    assert desk.order.live
    tell(desk, fill(2, 4))
    assert desk.order.life is Life.CANCELLED


def test_a_fill_that_comes_after_settlement_is_paid_out_too() -> None:
    desk = Desk()
    tell(desk, fill(1, 3))
    tell(desk, report(3, ReportStatus.RESTING, 7))
    assert desk.ledger.settle(SettlementReport(TICKER, Price(10_000), "yes", 9))
    assert not desk.ledger.settle(SettlementReport(TICKER, Price(10_000), "yes", 9))
    tell(desk, fill(2, 4))
    position = desk.ledger.positions[TICKER]
    assert (position.net, position.realised) == (0, 7 * 600_000)


def test_the_statement_of_a_settlement_is_kept_and_moves_nothing() -> None:
    desk = Desk()
    tell(desk, report(0, ReportStatus.RESTING, 10))
    tell(desk, fill(1, 3))
    bare = SettlementReport(TICKER, Price(10_000), "yes", 9)
    statement = SettlementRecord(
        contracts(3), Money(1_200_000), Quantity(0), Money(0), Money(3_000_000), Money(0)
    )
    full = msgspec.structs.replace(bare, record=statement)
    assert desk.ledger.settle(bare)
    position = desk.ledger.positions[TICKER]
    assert not desk.ledger.settle(full)
    assert not desk.ledger.settle(full), "it is kept once"
    kept = [event for _, _, event in desk.rows if isinstance(event, SettlementStated)]
    assert kept == [SettlementStated(full)]
    assert desk.ledger.positions[TICKER] == position
    again = Ledger(desk.record, desk.ear)
    assert replay(again, list(desk.rows), 0) == []
    assert (again.settled[TICKER], again.positions[TICKER]) == (full, position)
    doubted = msgspec.structs.replace(full, payout=Price(0))
    assert not desk.ledger.settle(doubted)
    assert desk.ledger.settled[TICKER] == full


LATER_MS = 180_000
RENEWALS = (
    *MESSAGES[:2],
    report(3, ReportStatus.RESTING, 7),
    msgspec.structs.replace(report(7, ReportStatus.RESTING, 3), expires_ms=LATER_MS),
    MESSAGES[-1],
    RenewalAnswered(Renewed("O1", LATER_MS)),
    RenewalAnswered(RenewUnresolved("O1", "timeout")),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.permutations(RENEWALS), st.lists(st.sampled_from(RENEWALS), max_size=6))
def test_answers_to_a_renewal_commute_with_everything_else(first: list[object], again: list[object]) -> None:
    desk = Desk()
    desk.ledger.apply(CLIENT, OrderAnswered(Accepted("O1", Quantity(0), contracts(10), 3), 3))
    desk.ledger.apply(CLIENT, RenewalSent(LATER_MS))
    for message in (*first, *again):
        tell(desk, message)
    order = desk.order
    assert (order.life, order.filled, order.expires_ms) == (Life.WORKING, 7_000_000, LATER_MS)
    assert order.dead_by_ms == LATER_MS and not desk.ear.anomalies


def test_a_fee_the_list_corrects_moves_the_fill_the_order_and_the_position_and_no_average() -> None:
    desk = Desk()
    tell(desk, MESSAGES[-1])
    tell(desk, fill(1, 3))
    before = desk.ledger.positions[TICKER]
    desk.ledger.correct_fee(msgspec.structs.replace(fill(1, 3), fee=Money(9_000)))
    after = desk.ledger.positions[TICKER]
    assert (after.fees - before.fees, after.average) == (9_000, before.average)
    assert desk.order.fills[0].fee == desk.ledger.fills["T1"].fee == 9_000
    again = Ledger(desk.record, Deaf())
    assert replay(again, list(desk.rows), 0) == []
    assert again.positions == desk.ledger.positions and again.orders == desk.ledger.orders


def test_a_parked_fill_survives_a_restart_and_is_applied_once_its_order_is_known() -> None:
    desk = Desk()
    desk.ledger.offer_fill(fill(1, 3), "", "stream", 0)
    again = Ledger(desk.record, Deaf())
    assert replay(again, list(desk.rows), 77) == []
    assert again.parked["T1"].since_ns == 77
    again.offer_report(report(3, ReportStatus.RESTING, 7), "list", Venue.KALSHI)
    assert again.net(TICKER) == 3_000_000 and not again.parked


def test_an_order_from_outside_leaves_less_to_close() -> None:
    """What somebody else's order may sell, ours must not promise as well."""
    desk = Desk()
    desk.ledger.offer_fill(fill(1, 10), CLIENT, "stream", 0)
    assert desk.ledger.closable(TICKER) == contracts(10)
    by_hand = msgspec.structs.replace(
        report(0, ReportStatus.RESTING, 4), order_id="X1", client_order_id="hand-1", side=BookSide.ASK
    )
    desk.ledger.offer_report(by_hand, "stream", Venue.KALSHI)
    assert desk.ledger.closable(TICKER) == contracts(6)


def test_a_trade_from_outside_counts_once_however_often_it_is_told() -> None:
    desk = Desk()
    strange = msgspec.structs.replace(fill(9, 5), order_id="X1")
    for _ in range(3):
        desk.ledger.offer_fill(strange, "", "stream", 0)
        if "T9" in desk.ledger.parked:
            desk.ledger.claim_external("T9")
    assert desk.ledger.net(TICKER) == contracts(5)
