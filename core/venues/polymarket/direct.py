"""The account without a stream: what a flatten without an engine reads, cancels and sells with.

The venue has no reduce-only orders. A sale here never asks for more than the chain shows as held, less what
sales of ours that are not settled yet will take, and the venue refuses what is beyond the balance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from core.config.paths import Environment
from core.domain.book import Book
from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import BookSide, OrderIntent, Purpose
from core.domain.trade import TradeStage
from core.domain.units import Price, Quantity
from core.venues.exchange import ExchangeState
from core.venues.http import TransportFactory, network_transport
from core.venues.limiter import Priority
from core.venues.polymarket.account import Account
from core.venues.polymarket.cancel_only import PolymarketCancelOnly
from core.venues.polymarket.errors import Meaning, Refusal
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.listing import Listing
from core.venues.polymarket.modes import Modes
from core.venues.polymarket.now import read_book_now, read_last_price_now
from core.venues.polymarket.orders import Orders
from core.venues.polymarket.public import PublicHttp
from core.venues.polymarket.reports import Heard, Owner
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import SALT_BITS, OrderSigner
from core.venues.polymarket.tokens import looks_like_position
from core.venues.polymarket.wallets import Account as WalletAccount
from core.venues.reader import Reader
from core.venues.venue import (
    Accepted,
    Incomplete,
    LastCheck,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Rejected,
    ReportStatus,
    Sealed,
    SettlementReport,
    Unresolved,
)

if TYPE_CHECKING:
    import random

EARLIER_MS: Final = 3_600_000
"""Trades that began so long before this run may still be on their way to the chain."""
DELAYED_S: Final = (0.5, 1.0, 1.0, 2.0, 3.0)
"""Pauses before the look-ups of a sale the venue holds back before it matches; then it is cancelled."""
_MOVES: Final = frozenset({TradeStage.MATCHED, TradeStage.RETRYING})
"""Stages at which the chain has not moved yet."""


class PolymarketDirect(PolymarketCancelOnly):
    """See ``core.execution.direct.DirectVenue``. Raises ``VenueAddressError`` for an address off the list."""

    def __init__(
        self,
        addresses: Addresses,
        environment: Environment,
        credentials: Credentials,
        traded: WalletAccount,
        signer: OrderSigner | None,
        unable: str = "",
        *,
        clocks: Clocks,
        rng: random.Random,
        on_anomaly: Callable[[str, str], None],
        transports: TransportFactory = network_transport,
    ) -> None:
        """Without ``signer`` everything can be cancelled and nothing sold; ``unable`` says why."""
        super().__init__(
            addresses,
            environment,
            credentials,
            clocks=clocks,
            rng=rng,
            on_anomaly=on_anomaly,
            transports=transports,
        )
        self.unable = unable

        def public(url: str) -> PublicHttp:
            return PublicHttp(
                url,
                clocks=clocks,
                limiter=self._http.limiter,
                rng=rng,
                transports=transports,
                on_anomaly=on_anomaly,
                on_credential=lambda cause: on_anomaly("public read", cause),
            )

        self._public = [public(url) for url in (addresses.gamma, addresses.clob, addresses.data)]
        gamma, self._books, witness = (Reader(http, on_anomaly) for http in self._public)
        self._listing = Listing(gamma, self._books, _Nobody(), clocks, on_anomaly, lambda ticker: None)
        owner = Owner(credentials.api_key, traded.funder)
        self._account = Account(
            self._reader, witness, self._listing.catalog, owner, traded.signature_type, self._learn
        )
        self._sealer = (
            Sealer(signer, owner.api_key, lambda: rng.getrandbits(SALT_BITS)) if signer is not None else None
        )
        self._modes = Modes(clocks)
        self._orders = Orders(self._http, self._cancels, self._refused)
        self._since_ms = clocks.wall_ms() - EARLIER_MS

    async def close(self) -> None:
        await super().close()
        for http in self._public:
            await http.close()

    async def _learn(self, tokens: Iterable[str]) -> None:
        """What cannot be looked up stays strange, and holds up nothing else: a stop goes on with the rest."""
        await self._listing.learn(tokens)

    # --- what is held -----------------------------------------------------------------------------

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        """What can be sold of each market now."""
        # First the trades: one that settles in between is counted twice, never not at all.
        moving = await self._moving()
        if isinstance(moving, Incomplete):
            return moving
        held = await self._account.positions()
        if isinstance(held, Incomplete):
            return held
        strange = await self._strange()
        if isinstance(strange, Incomplete):
            return strange
        return (*(msgspec.structs.replace(one, net=_free(one, moving)) for one in held), *strange)

    async def _strange(self) -> tuple[PositionReport, ...] | Incomplete:
        """What is held of tokens whose market cannot be read or is refused: nothing we could sell, and not
        flat either."""
        tokens = await self._account.tokens()
        if isinstance(tokens, Incomplete):
            return tokens
        catalog, found = self._listing.catalog, list[PositionReport]()
        for token in sorted(tokens):
            owner = catalog.of_token(token)
            if token.isdecimal() and (owner is None or catalog.known(owner[0]) is None):
                kind = "CONDITIONAL-V2" if looks_like_position(int(token)) else "CONDITIONAL"
                balance = await self._account.balance(kind, token)
                if isinstance(balance, Incomplete):
                    return balance
                if balance.amount:
                    found.append(PositionReport(f"token {token[:16]}", Quantity(balance.amount)))
        return tuple(found)

    async def settling(self) -> frozenset[str] | Incomplete:
        moving = await self._moving()
        if isinstance(moving, Incomplete):
            return moving
        return frozenset(fill.ticker for one in moving for fill in one.fills)

    async def _moving(self) -> tuple[Heard, ...] | Incomplete:
        """Trades of ours the chain does not show yet."""
        heard = await self._account.heard(self._since_ms)
        if isinstance(heard, Incomplete):
            return heard
        return tuple(one for one in heard if one.report.stage in _MOVES)

    # --- reads ------------------------------------------------------------------------------------

    async def orders(self, ticker: str, since_ms: int) -> tuple[OrderReport, ...] | Incomplete:
        return await self._account.orders(ticker, None)

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        return await self._account.order(order_id)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        """What refusals have said of it so far."""
        return self._modes.state()

    async def market(self, ticker: str) -> Market | Incomplete:
        """On the order book's own terms where they can be read."""
        found = await self._listing.market(ticker)
        if isinstance(found, Incomplete):
            return found
        unconfirmed = await self._listing.confirm(ticker)
        catalog = self._listing.catalog
        if ticker in catalog.quarantined:
            return Incomplete(f"market {ticker}", catalog.quarantined[ticker].reason)
        return found if unconfirmed is not None else catalog.markets.get(ticker, found)

    async def book(self, known: Market) -> Book | Incomplete:
        return await read_book_now(self._books, self._listing.catalog, known.ticker)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await read_last_price_now(self._books, self._listing.catalog, ticker)

    # --- selling ----------------------------------------------------------------------------------

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        terms = self._listing.catalog.terms.get(intent.ticker)
        if self._sealer is None or terms is None or intent.purpose is not Purpose.CLOSE:
            return Rejected("no_sale", self.unable or f"{intent.ticker} cannot be sold")
        return self._sealer.seal(intent, terms)

    async def place(
        self, intent: OrderIntent, sealed: Sealed, shard: int, last_check: LastCheck
    ) -> PlaceOutcome:
        """An immediate sale; nothing else is placed this way."""
        outcome = await self._orders.place(intent, sealed, last_check, Priority.FLATTEN)
        if isinstance(outcome, Accepted) and outcome.remaining:
            return await self._held_back(outcome)
        return outcome

    async def _held_back(self, taken: Accepted) -> PlaceOutcome:
        """Some markets match a sale seconds after they took it: the next must not be sent meanwhile."""
        for pause_s in DELAYED_S:
            await asyncio.sleep(pause_s)
            found = await self.order(taken.order_id)
            if isinstance(found, OrderReport) and found.status is not ReportStatus.RESTING:
                return Accepted(taken.order_id, found.filled, Quantity(0), taken.at_ms)
        await self._cancels.cancel([taken.order_id])
        return Unresolved("the venue held it back and it was cancelled")

    def _refused(self, ticker: str, said: Refusal) -> None:
        self._modes.refused(said)
        terms = self._listing.catalog.terms.get(ticker)
        if said.meaning is Meaning.FUNDS and terms is not None:
            self._account.fresh |= {terms.tokens.yes, terms.tokens.no}


def _free(held: PositionReport, moving: tuple[Heard, ...]) -> Quantity:
    """Of what is held, what no sale under way takes; a purchase under way is not there yet."""
    takes = BookSide.ASK if held.net > 0 else BookSide.BID
    fills = (fill for one in moving for fill in one.fills)
    taken = sum(fill.quantity for fill in fills if (fill.ticker, fill.side) == (held.ticker, takes))
    free = max(0, abs(held.net) - taken)
    return Quantity(free if held.net > 0 else -free)


class _Nobody:
    """Nothing is told: there is no stream and no desk."""

    def on_market(self, market: Market) -> None: ...

    def on_settlement(self, report: SettlementReport) -> None: ...
