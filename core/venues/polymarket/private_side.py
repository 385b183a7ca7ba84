"""Everything about the account at one place: its reads, its channel, and which orders may be open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.domain.clock import Clocks
from core.domain.trade import TradeStage
from core.venues.polymarket.account import Account
from core.venues.polymarket.facts import Oddity
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.market_side import MarketSide
from core.venues.polymarket.reports import Heard, Owner
from core.venues.polymarket.user_channel import (
    Missed,
    OrderSeen,
    PrivateReady,
    StrangerSeen,
    TradeSeen,
    UserFact,
    UserTalk,
)
from core.venues.polymarket.user_stream import UserStream
from core.venues.polymarket.wallets import SignatureType
from core.venues.reader import Reader
from core.venues.socket import SocketFactory
from core.venues.venue import Incomplete, OrderReport, ReportStatus, VenueListener

if TYPE_CHECKING:
    import random


class PrivateSide:
    """See module. ``on_change`` hears that the user channel became ready or ended."""

    def __init__(
        self,
        url: str,
        http: ClobHttp,
        public: MarketSide,
        credentials: Credentials,
        owner: Owner,
        kind: SignatureType,
        listener: VenueListener,
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory,
        on_anomaly: Callable[[str, str], None],
        on_change: Callable[[], None],
    ) -> None:
        self._public, self._listener, self._on_anomaly = public, listener, on_anomaly
        catalog = public.catalog
        self.account = Account(
            Reader(http, on_anomaly), public.data, catalog, owner, kind, public.listing.learn
        )
        self.user = UserStream(
            url,
            lambda: UserTalk(credentials, owner, catalog.of_token, catalog.known, clocks.mono_ns()),
            clocks=clocks,
            rng=rng,
            sockets=sockets,
            deliver=self._deliver,
            on_change=on_change,
            on_anomaly=on_anomaly,
        )
        self._strangers: set[str] = set()
        """Tokens of our events whose markets must be learnt."""
        self.resting: set[str] = set()
        """Orders that may be open, for the tokens their cancel would need."""

    async def tend(self) -> None:
        """Learn the markets of events that had to wait; to be called every second or so."""
        if self._strangers:
            strangers, self._strangers = self._strangers, set()
            hindered = await self._public.listing.learn(strangers)
            self.user.retry(strangers if hindered is None else ())

    async def orders(
        self, ticker: str | None, status: ReportStatus | None
    ) -> tuple[OrderReport, ...] | Incomplete:
        known = set(self.resting)
        reports = await self.account.orders(ticker, status)
        if not isinstance(reports, Incomplete):
            resting = {report.order_id for report in reports if report.status is ReportStatus.RESTING}
            if ticker is None and status in (None, ReportStatus.RESTING):
                # All there are: what ended unheard, as during a reconnect, must not hold tokens for ever.
                self.resting -= known - resting
            self.resting |= resting
            self._public.traded(report.ticker for report in reports)
        return reports

    def _deliver(self, fact: UserFact) -> None:
        match fact:
            case OrderSeen():
                self._ordered(fact.report)
            case TradeSeen():
                self.account.touch(fact.heard.fills)
                self._public.traded(fill.ticker for fill in fact.heard.fills)
                self._traded(fact.heard)
            case StrangerSeen():
                self._strangers.add(fact.token)
            case PrivateReady() | Missed():
                self._listener.on_reconnect()
            case Oddity():
                self._on_anomaly(fact.what, fact.detail)

    def _traded(self, heard: Heard) -> None:
        """That a trade has failed is told before its fills: nobody is to count on them for a moment."""
        failed = heard.report.stage is TradeStage.FAILED
        if failed:
            self._listener.on_trade(heard.report)
        for fill in heard.fills:
            self._listener.on_fill(fill, "")
        if not failed:
            self._listener.on_trade(heard.report)

    def _ordered(self, report: OrderReport) -> None:
        self._public.traded([report.ticker])
        if report.status is ReportStatus.RESTING:
            self.resting.add(report.order_id)
        else:
            self.resting.discard(report.order_id)
        self._listener.on_order(report)
