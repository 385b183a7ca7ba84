"""How a market ends: somebody asserts an outcome, later it is final, and winning tokens are paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.units import DOLLAR, Money
from core.sim.polymarket.contracts import Market, Resolution
from core.sim.polymarket.events import MarketChanged, MarketEvent, Redeemed
from core.sim.polymarket.wallets import PUSD, Wallet

if TYPE_CHECKING:
    from core.sim.polymarket.exchange import Exchange


class Resolving:
    """Markets on their way out of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._unpaid: list[Market] = []

    def propose(self, market: Market, outcome: int) -> None:
        market.resolution, market.proposed = Resolution.PROPOSED, outcome

    def resolve(self, market: Market, outcome: int | None) -> None:
        """Final; ``ValueError`` where it already was."""
        if market.payouts is not None:
            raise ValueError(f"{market.spec.slug} is already resolved")
        self._exchange.close(market.condition_id)
        half = Money(DOLLAR // 2)
        whole = [(DOLLAR, Money(0)), (Money(0), DOLLAR)]
        market.payouts = (half, half) if outcome is None else whole[outcome]
        market.closed, market.resolution = True, Resolution.RESOLVED
        market.resolved_ms = self._exchange.clock.wall_ms()
        self._exchange.emit(MarketChanged(market.condition_id, MarketEvent.RESOLVED))
        self._unpaid.append(market)

    def redeem(self, wallet: Wallet, market: Market) -> Money:
        """Pay a wallet's tokens of a resolved market and burn them; what it was paid."""
        if market.payouts is None:
            raise ValueError(f"{market.spec.slug} is not resolved")
        paid, now_ms = 0, self._exchange.clock.wall_ms()
        for token, value in zip(market.spec.tokens, market.payouts, strict=True):
            shares = wallet.balance(token) - wallet.outgoing.get(token, 0)
            if shares:
                paid += shares * value // DOLLAR
                wallet.move(token, -shares, now_ms, 0)
        wallet.move(PUSD, paid, now_ms, 0)
        market.vault = Money(market.vault - paid)
        self._exchange.emit(Redeemed(wallet.address, market.condition_id))
        return Money(paid)

    def advance(self) -> None:
        """Pay everybody whose time has come, once no trade of the market is under way."""
        after_ms, now_ms = self._exchange.auto_redeem_ms, self._exchange.clock.wall_ms()
        if after_ms is None:
            return
        due = [m for m in self._unpaid if (m.resolved_ms or 0) + after_ms <= now_ms]
        for market in [m for m in due if not self._under_way(m)]:
            self._unpaid.remove(market)
            for wallet in self._exchange.wallets.values():
                if any(wallet.balance(token) for token in market.spec.tokens):
                    self.redeem(wallet, market)

    def _under_way(self, market: Market) -> bool:
        return any(
            trade.condition_id == market.condition_id and not trade.stage.final
            for trade in self._exchange.trades.values()
        )
