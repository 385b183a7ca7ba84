"""The judge is judged: what a desk could not have known is no violation, what it should have counted is."""

from __future__ import annotations

import dataclasses
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.domain.market import Venue
from core.domain.order import BookSide as Side
from core.domain.order import OrderIntent, Purpose
from core.domain.order import TimeInForce as InForce
from core.domain.units import Money, Price, Quantity
from core.journal.events import Kind, Row
from core.sim.orders import BookSide, OrderRequest, TimeInForce
from tests.simulation import aftermath
from tests.simulation.chance import Chance
from tests.simulation.oracle import Oracle
from tests.simulation.polymarket import aftermath as polymarket_aftermath
from tests.simulation.run import Script, run
from tests.simulation.site import ACCOUNT, CROWD, Site
from tests.simulation.truth import Truth
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

OURS = "pm-r1-0001-000000000000"
FIVE, SEVEN = Quantity(5_000_000), Quantity(7_000_000)


STARTED = Row(1, 0, 0, "boot", "r1", "engine", Kind.START.value, "", "", None, "{}", "", "")


@dataclasses.dataclass
class Bench:
    """A desk that counts nothing at the venue, in a market where five YES are held."""

    oracle: Oracle
    site: Site
    ticker: str

    def place(self, account: str, side: BookSide, price: int, count: Quantity, **values: Any) -> None:
        request = OrderRequest(account, self.ticker, side, Price(price), count)
        self.site.exchange.place(msgspec.structs.replace(request, **values))

    def intend(self, purpose: Purpose) -> None:
        """Ours rests: five sold at 90 cents."""
        intent = OrderIntent(
            OURS, Venue.KALSHI, self.ticker, Side.ASK, purpose, Price(9_000), FIVE, InForce.GTC,
            post_only=True, reduce_only=False, expires_ms=None, created_ms=0, reserved=Money(0),
        )  # fmt: skip
        self.oracle.truth.intents[OURS] = intent
        self.place(ACCOUNT, BookSide.ASK, 9_000, FIVE, client_order_id=OURS)

    def sold_by_hand(self) -> None:
        self.place(ACCOUNT, BookSide.ASK, 100, SEVEN, tif=TimeInForce.IOC, client_order_id="web-1")

    def second(self, *counted: OrderIntent) -> bool:
        """Whether the oracle blames a desk whose ledger holds no other orders."""
        live = {str(number): SimpleNamespace(intent=intent) for number, intent in enumerate(counted)}
        desk = SimpleNamespace(ledger=SimpleNamespace(live=live, unknown=tuple))
        self.oracle.attach(SimpleNamespace(desk=desk))  # type: ignore[arg-type]  # all it reads of an engine
        self.oracle.second()
        assert self.oracle.violation is None, "nothing is asked of an engine that has not begun"
        self.oracle.on_row(STARTED)
        self.oracle.second()
        self.oracle.detach()
        return self.oracle.violation is not None


def bench(loop: VirtualLoop) -> Bench:
    site = Site(Chance(1), VirtualClock(loop))
    oracle = Oracle(Truth(site.exchange), loop)
    found = Bench(oracle, site, sorted(site.exchange.markets)[0])
    site.exchange.advance()
    found.place(CROWD, BookSide.ASK, 5_000, FIVE)
    found.place(ACCOUNT, BookSide.BID, 5_000, FIVE, tif=TimeInForce.IOC, client_order_id="pm-r1-0000-0")
    found.place(CROWD, BookSide.BID, 4_000, Quantity(20_000_000))
    return found


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_resting_exit_that_a_hand_made_an_opening_of_is_no_debt_of_the_desk(purpose: Purpose) -> None:
    async def main(loop: VirtualLoop) -> None:
        found = bench(loop)
        found.intend(purpose)
        assert not found.second(), "a sale of what is held takes no cash"
        found.sold_by_hand()
        assert found.site.exchange.account(ACCOUNT).reserved_by[found.ticker]
        assert found.second() is (purpose is Purpose.OPEN)

    run_virtual(main)


def test_what_is_set_aside_in_one_market_covers_no_other() -> None:
    async def main(loop: VirtualLoop) -> None:
        found = bench(loop)
        found.intend(Purpose.OPEN)
        found.sold_by_hand()
        rich = msgspec.structs.replace(found.oracle.truth.intents[OURS], reserved=Money(10**12))
        assert not found.second(rich)
        assert found.second(msgspec.structs.replace(rich, ticker="ANOTHER"))

    run_virtual(main)


@pytest.mark.parametrize("judge", [aftermath, polymarket_aftermath])
def test_a_millionth_of_a_dollar_is_missed_on_either_venue(
    judge: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CASH", judge.CASH + 1)
    broken = run(Script(8, active_s=15, honest=True)).broken
    assert broken is not None and broken.point == 7
