"""A broken invariant is named; nothing that keeps them is trusted to have kept them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from core.domain.market import Venue
from core.domain.order import Anomaly, BookSide, Fill, Life, Order, OrderIntent, Purpose, TimeInForce
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity, contracts
from core.execution.events import (
    CancelSent,
    LedgerEvent,
    OrderAnswered,
    OrderFilled,
    OrderHandedOver,
    OrderIntended,
)
from core.execution.invariants import MARKET_CHECKS, ORDER_CHECKS, violations, worst_case_covers
from core.execution.ledger import Ledger
from core.venues.venue import Accepted, SettlementReport

TICKER = "T"


class Ear:
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_order_changed(self, before: Order | None, after: Order) -> None: ...

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None: ...

    def on_trade_confirmed(self, ticker: str) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None: ...

    def on_settled(self, report: SettlementReport) -> None: ...

    def on_externals_changed(self, ticker: str) -> None: ...

    def on_adjusted(self, ticker: str) -> None: ...

    def on_anomaly(self, ticker: str, anomaly: Anomaly) -> None:
        self.told.append(f"{anomaly.kind}: {anomaly.detail}")


def record(event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
    return 1


def intent(client: str, side: BookSide, purpose: Purpose, count: int) -> OrderIntent:
    return OrderIntent(
        client_order_id=client,
        venue=Venue.KALSHI,
        ticker=TICKER,
        side=side,
        purpose=purpose,
        price=Price(4_000),
        quantity=contracts(count),
        tif=TimeInForce.GTC,
        post_only=False,
        reduce_only=purpose is Purpose.CLOSE,
        expires_ms=None,
        created_ms=0,
        reserved=Money(0),
    )


def working(ledger: Ledger, made: OrderIntent, order_id: str) -> None:
    client = made.client_order_id
    ledger.intend(OrderIntended(made, "passed"))
    ledger.apply(client, OrderHandedOver(1))
    ledger.apply(client, OrderAnswered(Accepted(order_id, Quantity(0), made.quantity, 2), 2))


def holding_ten_selling_six() -> tuple[Ledger, Ear]:
    ear = Ear()
    ledger = Ledger(record, ear)
    working(ledger, intent("pm-buy", BookSide.BID, Purpose.OPEN, 10), "V1")
    bought = Fill(
        "t1", Venue.KALSHI, TICKER, "V1", BookSide.BID, Price(4_000), contracts(10), Money(0), False, 3
    )
    ledger.apply("pm-buy", OrderFilled(bought, "stream"))
    working(ledger, intent("pm-sell", BookSide.ASK, Purpose.CLOSE, 6), "V2")
    return ledger, ear


def lose_a_fill(ledger: Ledger) -> None:
    ledger.fills_of[TICKER].clear()


def sell_elsewhere(ledger: Ledger) -> None:
    ledger.positions[TICKER] = Position(net=contracts(5), cost=Money(2_000_000))


def count_a_trade_twice(ledger: Ledger) -> None:
    bought = ledger.orders["pm-buy"]
    ledger.orders["pm-sell"] = msgspec.structs.replace(ledger.orders["pm-sell"], fills=bought.fills * 2)


def fill_too_much(ledger: Ledger) -> None:
    bought = ledger.orders["pm-buy"]
    ledger.orders["pm-sell"] = msgspec.structs.replace(ledger.orders["pm-sell"], fills=bought.fills)


def free_a_live_order(ledger: Ledger) -> None:
    del ledger.live["pm-sell"]


def forget_the_row(ledger: Ledger) -> None:
    del ledger.rows["pm-sell"]


BROKEN: list[tuple[Callable[[Ledger], None], str]] = [
    (lose_a_fill, "P1"),
    (count_a_trade_twice, "P2"),
    (sell_elsewhere, "P3"),
    (fill_too_much, "P4"),
    (free_a_live_order, "P6"),
    (forget_the_row, "P11"),
]


def test_a_sound_ledger_breaks_nothing() -> None:
    ledger, ear = holding_ten_selling_six()
    assert ledger.orders["pm-sell"].life is Life.WORKING
    assert all(violations(ledger, order) == [] for order in ledger.orders.values())
    assert ear.told == []


@pytest.mark.parametrize(("spoil", "code"), BROKEN)
def test_each_broken_invariant_is_named(spoil: Callable[[Ledger], None], code: str) -> None:
    ledger, _ = holding_ten_selling_six()
    spoil(ledger)
    assert code in [text.split()[0] for text in violations(ledger, ledger.orders["pm-sell"])]


def test_every_check_has_a_case() -> None:
    assert len(BROKEN) == len(MARKET_CHECKS) + len(ORDER_CHECKS)


@pytest.mark.parametrize("spoil", [lose_a_fill, sell_elsewhere, forget_the_row])
def test_the_next_event_of_an_order_tells_it(spoil: Callable[[Ledger], None]) -> None:
    ledger, ear = holding_ten_selling_six()
    spoil(ledger)
    ledger.apply("pm-sell", CancelSent("test"))
    assert any(text.startswith("invariant: P") for text in ear.told)


@pytest.mark.parametrize(
    ("counted", "broken"),
    [
        (Money(4_000_000), None),
        (Money(3_999_800), "nothing fills"),
        (Money(0), "nothing fills"),
    ],
)
def test_a_worst_case_below_what_is_held_is_named(counted: Money, broken: str | None) -> None:
    ledger, _ = holding_ten_selling_six()
    text = worst_case_covers(ledger, TICKER, counted)
    assert text is None if broken is None else (text is not None and "P8" in text and broken in text)


def test_a_worst_case_that_forgets_an_open_order_is_named() -> None:
    ledger, _ = holding_ten_selling_six()
    working(ledger, intent("pm-more", BookSide.BID, Purpose.OPEN, 5), "V3")
    assert worst_case_covers(ledger, TICKER, Money(6_000_000)) is None
    text = worst_case_covers(ledger, TICKER, Money(5_000_000))
    assert text is not None and "1 of 2 orders fills" in text


def test_an_adjustment_is_part_of_the_sum() -> None:
    ledger, ear = holding_ten_selling_six()
    ledger.adjust(TICKER, contracts(8), Price(3_000), "two are gone", "me", venue=Venue.KALSHI)
    position = ledger.positions[TICKER]
    assert (position.net, position.cost, position.realised) == (contracts(8), 3_200_000, 0)
    ledger.adjust(TICKER, contracts(12), Price(3_000), "four came", "me", venue=Venue.KALSHI)
    assert (ledger.positions[TICKER].net, ledger.positions[TICKER].cost) == (contracts(12), 4_400_000)
    assert ear.told == []
    ledger.adjust(TICKER, contracts(-3), Price(3_000), "the other side", "me", venue=Venue.KALSHI)
    assert ledger.positions[TICKER].cost == 2_100_000, "three NO at 70 cents"
    assert [text for text in ear.told if "P1" in text] == []
    assert any("P3" in text for text in ear.told), "the close is not covered any more"
