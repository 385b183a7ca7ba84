"""What the second venue contradicts itself in: orders that trade after their end, or beyond their size."""

from __future__ import annotations

import random

from core.domain.order import OrderIntent, Outcome, Purpose
from core.domain.units import Quantity
from core.sim.polymarket.orders import Cause, Order, OrderRequest, OrderStatus, OrderType, Side
from core.sim.polymarket.wallets import given
from tests.simulation.polymarket.crowd import LOT, SHARE
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.truth import Truth

RECENT_MS = 20_000
"""A finished order the venue may still be wrong about."""
BACK_S, EARLY_S = 90, 60
"""So long an order that is back would rest; the venue stops it so long before the end it names."""
LATE_MS = 300_000
"""An order this old is not taken up any more by a venue that had refused or lost it."""


class Lies:
    """Each tells the truth's keeper, and answers whether there was an order to do it to."""

    def __init__(self, site: PolymarketSite, truth: Truth, rng: random.Random) -> None:
        self._site, self._truth, self._rng = site, truth, rng

    def undead(self, part: float) -> bool:
        """Its end was confirmed, and it is back; ``part`` of it trades at once."""
        found = self._ended(OrderStatus.CANCELED)
        if found is None:
            return False
        client, order = found
        self._revive(client, order, Quantity(order.shares - order.matched), part)
        if part and order.remaining and self._rng.random() < 0.5:
            self._site.exchange.take_off(order, Cause.ASKED)
        return True

    def ghost(self, part: float) -> bool:
        """Its bytes had left, it was refused or never seen, and there it is."""
        truth, exchange, now_ms = self._truth, self._site.exchange, self._site.clock.wall_ms()
        wanted = [i for i in truth.intents.values() if now_ms - i.created_ms <= LATE_MS]
        self._rng.shuffle(wanted)
        for intent in wanted:
            client = intent.client_order_id
            request = self._request(intent, now_ms)
            left = truth.bytes_out.get(client) and client not in truth.on_the_way
            trades = exchange.tokens[request.token_id].tradeable
            if not left or not trades or client in truth.orders or intent.expires_ms is None:
                continue
            exchange.place(request)
            truth.adopt(client)
            order = truth.orders.get(client)
            if order is None:
                continue  # the venue would not have it now either
            truth.lie(client)
            if part and order.status is OrderStatus.LIVE:
                self._site.hit(order, _lots(order.remaining, part))
            return True
        return False

    def overfill(self) -> bool:
        """More of a full order is matched than was signed for. The contract lets no such trade settle."""
        found = self._ended(OrderStatus.MATCHED)
        if found is None:
            return False
        client, order = found
        pace = self._site.exchange.settlement.pace
        usual, pace.fail_share = pace.fail_share, 1.0
        self._revive(client, order, Quantity(2 * SHARE), self._rng.choice((0.5, 1.0)))
        pace.fail_share = usual
        if order.remaining:
            self._site.exchange.take_off(order, Cause.ASKED)
        return True

    def _request(self, intent: OrderIntent, now_ms: int) -> OrderRequest:
        """What its bytes asked for, with an end the venue would still take."""
        market = next(m for m in self._site.exchange.markets.values() if m.spec.slug == intent.ticker)
        return OrderRequest(
            self._truth.hashes[intent.client_order_id],
            self._site.key,
            self._site.wallet.address,
            market.spec.tokens[0 if intent.outcome is Outcome.YES else 1],
            Side.BUY if intent.purpose is Purpose.OPEN else Side.SELL,
            OrderType.GTD,
            intent.outcome_price,
            intent.quantity,
            expiration_s=now_ms // 1000 + BACK_S + EARLY_S,
        )

    def _ended(self, status: OrderStatus) -> tuple[str, Order] | None:
        """The newest order that rested, ended so not long ago in a market that trades, and can still pay."""
        truth, exchange, now_ms = self._truth, self._site.exchange, self._site.clock.wall_ms()
        for client, order in reversed(truth.orders.items()):
            if (
                order.status is status
                and order.type.rests
                and client not in truth.lied_about
                and now_ms - truth.ended_ms.get(client, 0) < RECENT_MS
                and exchange.markets[order.condition_id].tradeable
                and self._pays(order)
            ):
                return client, order
        return None

    def _pays(self, order: Order) -> bool:
        left = max(order.shares - order.matched, 2 * SHARE)
        wallet = self._site.exchange.wallets[order.wallet]
        has = wallet.available(given(order), self._site.clock.wall_ms())
        return has >= (left if not order.buys else -(-left * order.own_price // 10_000))

    def _revive(self, client: str, order: Order, shares: Quantity, part: float) -> None:
        self._truth.lie(client)
        order.remaining, order.cause = shares, None
        order.expiration_s = self._site.clock.wall_ms() // 1000 + BACK_S + EARLY_S
        self._site.exchange.rest(order)
        if part:
            self._site.hit(order, _lots(shares, part))


def _lots(shares: int, part: float) -> int:
    return max(LOT, int(shares * part) // LOT * LOT)
