"""Provisional fills: whatever is told of their trades, in any order, the books are those of what stands."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import Venue
from core.domain.order import BookSide, Fill, Life, Order, OrderIntent, Purpose, TimeInForce
from core.domain.position import Position, apply
from core.domain.trade import TradeStage
from core.domain.units import Money, Price, Quantity, contracts
from core.execution.events import LedgerEvent, OrderAnswered, OrderHandedOver, OrderIntended
from core.execution.invariants import purpose_refusal
from core.execution.ledger import Ledger
from core.execution.replaying import replay
from core.venues.venue import Accepted, OrderReport, ReportStatus, Sealed, TradeReport, Unresolved
from tests.execution.test_ledger import Deaf

MARKET = "nyc-high-3"
BUY, SELL = "0xb", "0xs"
STAGES = tuple(TradeStage)


class Ear(Deaf):
    def __init__(self) -> None:
        super().__init__()
        self.undone: list[str] = []
        self.confirmed = 0

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None:
        self.undone.append(fill.trade_id)

    def on_trade_confirmed(self, ticker: str) -> None:
        self.confirmed += 1


class Books:
    """A ledger with a buy and a sell on their way, whose ids are known beforehand."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, LedgerEvent]] = []
        self.ear = Ear()
        self.ledger = Ledger(self.record, self.ear)
        for order_id, side, purpose in (
            (BUY, BookSide.BID, Purpose.OPEN),
            (SELL, BookSide.ASK, Purpose.CLOSE),
        ):
            client = f"pm-{order_id}"
            intent = OrderIntent(
                client, Venue.POLYMARKET, MARKET, side, purpose, Price(4_000), contracts(100),
                TimeInForce.GTC, False, False, 1, 0, Money(0),
            )  # fmt: skip
            self.ledger.intend(OrderIntended(intent, "passed", Sealed(order_id, b"{}")))
            self.ledger.apply(client, OrderHandedOver(1))

    def record(self, event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
        self.rows.append((len(self.rows) + 1, client_order_id, event))
        return len(self.rows)

    @property
    def odd(self) -> list[str]:
        """What went wrong, but for the sell order that is there before anything is held."""
        return [a.detail for a in self.ear.anomalies if not a.detail.startswith("P3")]

    def tell(self, message: Fill | TradeReport) -> None:
        if isinstance(message, Fill):
            self.ledger.offer_fill(message, "", "stream", 0)
        else:
            self.ledger.offer_trade(message)

    def again(self) -> Ledger:
        """What a restart makes of the rows."""
        stored = [
            (n, c, msgspec.json.decode(msgspec.json.encode(e), type=LedgerEvent)) for n, c, e in self.rows
        ]
        ledger = Ledger(self.record, Deaf())
        assert replay(ledger, stored, 0) == []
        return ledger


def fill(trade: str, size: int, order: str = BUY, *, final: bool = False, price: int = 4_000) -> Fill:
    side = BookSide.BID if order == BUY else BookSide.ASK
    return Fill(
        trade, Venue.POLYMARKET, MARKET, order, side, Price(price), contracts(size), Money(700), False, 5,
        final=final,
    )  # fmt: skip


def stage(trade: str, at: TradeStage) -> TradeReport:
    return TradeReport(trade, at, 6)


FILLS = (
    fill("T1", 3),
    fill("T2:0xb", 4, price=4_100),
    fill("T2:0xs", 1, SELL, price=4_500),
    fill("T3", 2, final=True),
    fill("T4", 1, SELL),
)
TRADES = ("T1", "T2", "T4")
ends = st.fixed_dictionaries(
    {trade: st.sampled_from((TradeStage.CONFIRMED, TradeStage.FAILED, None)) for trade in TRADES}
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fill | TradeReport], dict[str, TradeStage | None]]:
    """Fills and stages in any order, some twice; each trade has at most one kind of end."""
    end = draw(ends)
    words = [stage(t, s) for t in TRADES for s in (TradeStage.MINED, TradeStage.RETRYING, TradeStage.MATCHED)]
    words += [stage(t, last) for t, last in end.items() if last is not None]
    told: list[Fill | TradeReport] = [*draw(st.permutations([*FILLS, *words]))]
    told += draw(st.lists(st.sampled_from([*FILLS, *words]), max_size=8))
    # What the venue's lists say again at the next reading.
    return [*told, *(stage(t, last) for t, last in end.items() if last is not None)], end


def stands(one: Fill, end: dict[str, TradeStage | None]) -> bool:
    return end.get(one.trade_id.partition(":")[0]) is not TradeStage.FAILED


@settings(max_examples=200, deadline=None, derandomize=True)
@given(stories())
def test_what_is_held_is_what_was_not_undone(
    story: tuple[list[Fill | TradeReport], dict[str, TradeStage | None]],
) -> None:
    told, end = story
    books = Books()
    for message in told:
        books.tell(message)
    ledger = books.ledger
    left = [f for f in FILLS if stands(f, end)]
    assert ledger.net(MARKET) == sum(f.side.sign * f.quantity for f in left)
    position = ledger.positions[MARKET]
    assert position.fees == sum(f.fee for f in left)
    anew = Position()
    for one in (ledger.fills[f.trade_id] for f in ledger.fills_of[MARKET]):
        anew = apply(anew, one)
    assert position == anew, "as if the undone had never been"
    assert set(ledger.fills) == {f.trade_id for f in left}
    assert sorted(books.ear.undone) == sorted(f.trade_id for f in FILLS if not stands(f, end))
    assert not books.odd


@settings(max_examples=100, deadline=None, derandomize=True)
@given(stories())
def test_only_what_is_confirmed_can_be_sold(
    story: tuple[list[Fill | TradeReport], dict[str, TradeStage | None]],
) -> None:
    told, end = story
    books = Books()
    for message in told:
        books.tell(message)
        ledger, net = books.ledger, books.ledger.net(MARKET)
        known = ledger.fills_of.get(MARKET, [])
        settled = sum(f.quantity for f in known if f.side is BookSide.BID and f.final)
        going = sum(f.quantity for f in known if f.side is BookSide.ASK)
        if net > 0:
            assert ledger.closable(MARKET, without=f"pm-{SELL}") <= max(0, settled - going)
    sure = sum(f.quantity for f in FILLS if f.side is BookSide.BID and (f.final or _end(f, end)))
    gone = sum(f.quantity for f in FILLS if f.side is BookSide.ASK and stands(f, end))
    if books.ledger.net(MARKET) > 0:
        assert books.ledger.closable(MARKET, without=f"pm-{SELL}") == max(0, sure - gone)


def _end(one: Fill, end: dict[str, TradeStage | None]) -> bool:
    return end.get(one.trade_id.partition(":")[0]) is TradeStage.CONFIRMED


@settings(max_examples=100, deadline=None, derandomize=True)
@given(stories(), st.integers(0, 30))
def test_a_restart_at_any_moment_knows_the_same(
    story: tuple[list[Fill | TradeReport], dict[str, TradeStage | None]], until: int
) -> None:
    books = Books()
    for message in story[0][:until]:
        books.tell(message)
    again = books.again()
    for name in ("orders", "live", "positions", "fills", "fills_of", "by_order_id", "external_fills"):
        assert getattr(again, name) == getattr(books.ledger, name), name
    assert vars(again.settling) == vars(books.ledger.settling)


def test_a_failed_trade_leaves_the_order_as_the_venue_counts_it() -> None:
    books = Books()
    books.tell(fill("T1", 60))
    books.ledger.apply(f"pm-{BUY}", OrderAnswered(Accepted(BUY, contracts(60), contracts(40), 3), 3))
    books.tell(stage("T1", TradeStage.FAILED))
    order = books.ledger.orders[f"pm-{BUY}"]
    assert (order.filled, order.matched, order.leaves) == (0, contracts(60), contracts(100))
    ended = OrderReport(
        BUY, "", MARKET, BookSide.BID, Price(4_000), contracts(100), contracts(60), Quantity(0),
        ReportStatus.CANCELED,
    )  # fmt: skip
    books.ledger.offer_report(ended, "stream", Venue.POLYMARKET)
    assert books.ledger.orders[f"pm-{BUY}"].life is Life.CANCELLED, "no fill is missing"


def test_a_failure_heard_before_its_fill_undoes_the_fill_when_it_comes() -> None:
    books = Books()
    books.tell(stage("T1", TradeStage.FAILED))
    books.tell(fill("T1", 3))
    order = books.ledger.orders[f"pm-{BUY}"]
    assert books.ledger.net(MARKET) == 0 and order.matched == contracts(3) and books.ear.undone == ["T1"]
    assert books.again().orders == books.ledger.orders


def test_a_word_on_a_trade_that_changes_nothing_is_not_journalled() -> None:
    books = Books()
    books.tell(fill("T1", 3))
    books.tell(stage("T1", TradeStage.MINED))
    rows = len(books.rows)
    for at in (TradeStage.MATCHED, TradeStage.MINED):
        books.tell(stage("T1", at))
    books.tell(stage("T9", TradeStage.CONFIRMED))
    assert len(books.rows) == rows
    books.tell(fill("T1", 3, final=True))
    assert len(books.rows) == rows + 1 and books.ear.confirmed == 1, "a list that calls it final confirms it"


def test_a_close_beyond_what_is_confirmed_is_refused() -> None:
    books = Books()
    books.tell(fill("T1", 5))
    ledger = books.ledger

    def refused(count: int) -> str | None:
        without = f"pm-{SELL}"
        return purpose_refusal(ledger, MARKET, BookSide.ASK, Purpose.CLOSE, contracts(count), without)

    assert refused(1) is not None
    books.tell(stage("T1", TradeStage.CONFIRMED))
    assert refused(5) is None and refused(6) is not None


def test_the_other_side_is_not_opened_before_a_close_is_settled() -> None:
    """Were the close to fail, both sides would be held."""
    books = Books()
    books.ledger.apply(f"pm-{BUY}", OrderAnswered(Accepted(BUY, contracts(5), Quantity(0), 2), 2))
    books.tell(fill("T3", 5, final=True))
    books.tell(fill("T4", 5, SELL))
    books.ledger.apply(f"pm-{SELL}", OrderAnswered(Accepted(SELL, contracts(5), Quantity(0), 2), 2))
    assert not books.ledger.live and books.ledger.net(MARKET) == 0

    def refused(side: BookSide) -> str | None:
        return purpose_refusal(books.ledger, MARKET, side, Purpose.OPEN, contracts(1))

    assert refused(BookSide.ASK) is not None and refused(BookSide.BID) is None
    books.tell(stage("T4", TradeStage.CONFIRMED))
    assert refused(BookSide.ASK) is None


def test_a_close_that_may_fail_is_counted_as_if_it_had() -> None:
    books = Books()
    books.tell(fill("T3", 5, final=True))
    books.tell(fill("T4", 5, SELL))
    ledger = books.ledger
    assert ledger.net(MARKET) == 0 and ledger.if_undone(MARKET).net == contracts(5)
    books.tell(stage("T4", TradeStage.CONFIRMED))
    assert ledger.if_undone(MARKET).net == 0


def test_a_position_a_person_adjusted_keeps_what_was_added_when_an_earlier_fill_is_undone() -> None:
    books = Books()
    books.tell(fill("T1", 5))
    books.ledger.adjust(MARKET, contracts(8), Price(4_000), "three came", "me", venue=Venue.POLYMARKET)
    books.tell(stage("T1", TradeStage.FAILED))
    assert books.ledger.net(MARKET) == contracts(3) and not books.odd
    books.tell(fill("T4", 2, SELL, price=5_000))
    books.tell(fill("T3", 1))
    books.tell(stage("T3", TradeStage.FAILED))
    held = books.ledger.positions[MARKET]
    assert (held.net, held.realised) == (contracts(1), 200_000), "two of the three that came were sold"
    assert books.again().positions == books.ledger.positions


def test_an_order_ends_although_nobody_told_of_its_fill_before_its_trade_failed() -> None:
    books = Books()
    client = f"pm-{BUY}"
    books.ledger.apply(client, OrderAnswered(Accepted(BUY, contracts(3), Quantity(0), 2), 2))
    assert books.ledger.orders[client].ending is Life.CANCELLED
    books.tell(stage("T1", TradeStage.FAILED))
    books.tell(fill("T1", 3))
    order = books.ledger.orders[client]
    assert (order.life, order.matched, order.filled) == (Life.CANCELLED, contracts(3), 0)
    assert books.ear.undone == ["T1"] and books.ledger.net(MARKET) == 0 and not books.odd
    assert books.again().orders[client] == order


def test_an_order_found_to_be_invalid_was_refused_unless_it_was_known_to_rest() -> None:
    books = Books()
    books.ledger.apply(f"pm-{BUY}", OrderAnswered(Unresolved("no answer"), 3))
    books.ledger.apply(f"pm-{SELL}", OrderAnswered(Accepted(SELL, Quantity(0), contracts(100), 3), 3))
    for order_id, side in ((BUY, BookSide.BID), (SELL, BookSide.ASK)):
        report = OrderReport(
            order_id, "", MARKET, side, Price(4_000), contracts(100), Quantity(0), Quantity(0),
            ReportStatus.INVALID, "INVALID",
        )  # fmt: skip
        books.ledger.offer_report(report, "look-up", Venue.POLYMARKET)
    assert books.ledger.orders[f"pm-{BUY}"].life is Life.REJECTED
    assert books.ledger.orders[f"pm-{SELL}"].life is Life.CANCELLED


def test_a_failed_trade_of_somebody_elses_order_is_not_waited_for() -> None:
    books = Books()
    books.tell(stage("T9", TradeStage.FAILED))
    books.tell(fill("T9", 3, "0xelse"))
    assert not books.ledger.parked and books.ledger.net(MARKET) == 0


def test_an_order_the_venue_calls_matched_is_filled_although_dust_is_left() -> None:
    books, almost = Books(), Quantity(99_997_714)
    books.ledger.apply(f"pm-{BUY}", OrderAnswered(Accepted(BUY, Quantity(0), contracts(100), 3), 3))
    report = OrderReport(
        BUY, "", MARKET, BookSide.BID, Price(4_000), contracts(100), almost, Quantity(0),
        ReportStatus.EXECUTED,
    )  # fmt: skip
    books.ledger.offer_report(report, "stream", Venue.POLYMARKET)
    books.tell(msgspec.structs.replace(fill("T1", 0), quantity=almost))
    order = books.ledger.orders[f"pm-{BUY}"]
    assert (order.life, order.filled, order.leaves) == (Life.FILLED, almost, 0) and not books.odd
