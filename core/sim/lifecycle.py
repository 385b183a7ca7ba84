"""A market's life: opens and closes on world time, pauses, gets a result, pays after its timer."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.accounts import Settlement, amount
from core.sim.contracts import Market, MarketStatus, PriceRanges
from core.sim.events import MarketChanged
from core.sim.orders import Order, Reason

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

_WHOLE = {"yes": Price(10_000), "no": Price(0)}
"""What a YES contract pays by result; a scalar result says it itself."""

_AFTER_CLOSE = {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED}


class Agenda:
    """When to look at which market next, in world time."""

    def __init__(self) -> None:
        self._due: list[tuple[int, str]] = []

    def add(self, world_ms: int, ticker: str) -> None:
        heapq.heappush(self._due, (world_ms, ticker))

    def run(self, exchange: Exchange) -> None:
        """Bring every due market to where the world clock says it is."""
        now_ms = exchange.world.at(exchange.clock.wall_ms())
        while self._due and self._due[0][0] <= now_ms:
            _bring_up(exchange, exchange.markets[heapq.heappop(self._due)[1]], now_ms)


def is_open(market: Market, world_ms: int | None = None) -> bool:
    """Whether orders of this market may still be touched."""
    return market.status not in _AFTER_CLOSE and (world_ms is None or world_ms < market.close_ms)


def _bring_up(exchange: Exchange, market: Market, now_ms: int) -> None:
    if market.status is MarketStatus.INITIALIZED and market.open_ms <= now_ms:
        _enter(exchange, market, MarketStatus.ACTIVE, "opened")
    if market.status in (MarketStatus.ACTIVE, MarketStatus.INACTIVE) and market.close_ms <= now_ms:
        close(exchange, market)
    if market.status in (MarketStatus.DETERMINED, MarketStatus.AMENDED) and payout_at(market) <= now_ms:
        _pay(exchange, market, now_ms)


def close(exchange: Exchange, market: Market) -> None:
    """End trading; resting orders leave."""
    market.clock += 1
    for order in exchange.resting_in(market.spec.ticker):
        exchange.withdraw(order, Reason.CLOSE)
    _enter(exchange, market, MarketStatus.CLOSED, "closed")


def determine(
    exchange: Exchange, market: Market, result: str, expiration_value: str, value: Price | None
) -> None:
    """Record the outcome; a second time before payout amends it and restarts the timer."""
    value = _WHOLE.get(result, value)
    if value is None or result not in (*_WHOLE, "scalar"):
        raise ValueError(
            f"result of {market.spec.ticker} must be 'yes', 'no' or 'scalar' with a value, not {result!r}"
        )
    if market.status is MarketStatus.FINALIZED:
        raise ValueError(f"{market.spec.ticker} has already paid")
    if is_open(market):
        close(exchange, market)
    amended = market.status is not MarketStatus.CLOSED
    market.result, market.expiration_value, market.settlement_value = result, expiration_value, value
    market.determined_world_ms = exchange.world.at(exchange.clock.wall_ms())
    # Kalshi announces a determination on its stream, an amendment not.
    if amended:
        _enter(exchange, market, MarketStatus.AMENDED, "amended")
    else:
        _enter(exchange, market, MarketStatus.DETERMINED, "determined")


def payout_at(market: Market) -> int:
    """World time at which a determined market pays."""
    assert market.determined_world_ms is not None
    return market.determined_world_ms + market.spec.settlement_timer_s * 1000


def pause(exchange: Exchange, market: Market) -> None:
    """Stop trading in one market; orders that asked for it are cancelled."""
    if market.status is MarketStatus.ACTIVE:
        _enter(exchange, market, MarketStatus.INACTIVE, "deactivated")
        halt_orders(exchange, exchange.resting_in(market.spec.ticker))


def resume(exchange: Exchange, market: Market) -> None:
    """Trade again, on an empty book."""
    if market.status is MarketStatus.INACTIVE:
        market.clock += 1
        for order in exchange.resting_in(market.spec.ticker):
            exchange.withdraw(order, Reason.HALT)
        _enter(exchange, market, MarketStatus.ACTIVE, "activated")


def halt_orders(exchange: Exchange, orders: list[Order]) -> None:
    """Cancel those orders that asked to leave when trading pauses."""
    for order in orders:
        if order.cancel_on_pause:
            exchange.markets[order.ticker].clock += 1
            exchange.withdraw(order, Reason.HALT)


def move_close(exchange: Exchange, market: Market, close_ms: int) -> None:
    """Change the close time of a market without a result; one that has closed reopens where it is later."""
    if not is_open(market) and market.status is not MarketStatus.CLOSED:
        return
    market.close_ms = close_ms
    _announce(exchange, market, "close_date_updated")
    if market.status is MarketStatus.CLOSED and exchange.world.at(exchange.clock.wall_ms()) < close_ms:
        _enter(exchange, market, MarketStatus.ACTIVE, "activated")


def change_grid(exchange: Exchange, market: Market, structure: str, ranges: PriceRanges) -> None:
    """New valid prices while the market trades; resting orders stay where they are."""
    market.spec = msgspec.structs.replace(market.spec, price_level_structure=structure, price_ranges=ranges)
    _announce(exchange, market, "price_level_structure_updated")


def change_strikes(
    exchange: Exchange, market: Market, floor: float | None, cap: float | None, yes_sub_title: str
) -> None:
    """What the contract is about turns out otherwise, in a market that may be trading."""
    market.spec = msgspec.structs.replace(
        market.spec, floor_strike=floor, cap_strike=cap, yes_sub_title=yes_sub_title
    )
    _announce(exchange, market, "metadata_updated")


def _pay(exchange: Exchange, market: Market, now_ms: int) -> None:
    ticker, value = market.spec.ticker, market.settlement_value
    assert value is not None
    for account in exchange.accounts.values():
        holding = account.holdings.get(ticker)
        if holding is None:
            continue
        yes, no = max(0, holding.position), max(0, -holding.position)
        exact = amount(value, yes) + amount(10_000 - value, no)
        # Sub-cent payouts are rounded to whole cents and the remainder shows as a fee.
        revenue = Money(exact // 10_000 * 10_000) if market.result == "scalar" else Money(exact)
        holding.fees = Money(holding.fees + exact - revenue)
        exchange.fees_collected = Money(exchange.fees_collected + exact - revenue)
        if revenue:
            purse = account.purse(market.spec.exchange_index)
            purse.cash = Money(purse.cash + revenue)
        if exchange.dialect.settlement_costs_are_of_all_bought:
            yes_cost, no_cost = holding.yes_cost, holding.no_cost
        else:
            yes_cost, no_cost = Money(holding.cost if yes else 0), Money(holding.cost if no else 0)
        paid = Settlement(
            ticker, market.spec.event_ticker, market.result, value, Quantity(yes), yes_cost, Quantity(no),
            no_cost, revenue, holding.fees, now_ms,
        )  # fmt: skip
        account.settlements.append(paid)
        # Before fees, of which that remainder is one.
        holding.realized = Money(holding.realized + exact - holding.cost)
        holding.position, holding.cost, holding.settled = Quantity(0), Money(0), True
        holding.updated_ms = exchange.clock.wall_ms()
    market.open_interest, market.settled_world_ms = Quantity(0), now_ms
    _enter(exchange, market, MarketStatus.FINALIZED, "settled")


def _enter(exchange: Exchange, market: Market, status: MarketStatus, kind: str) -> None:
    market.status = status
    _announce(exchange, market, kind)


def _announce(exchange: Exchange, market: Market, kind: str) -> None:
    market.updated_ms = exchange.clock.wall_ms()
    exchange.emit(MarketChanged(market.spec.ticker, kind))
