"""Finds markets and keeps what is known of them true: lists, single re-reads, resolutions, new tokens.

A *word* says what to follow: ``tag:weather``, ``series:10192`` (an id), or an event by its slug. The stream's
word on resolutions is unreliable, so markets that are near or past their end are asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.market import Market, MarketStatus
from core.domain.text import clean_text
from core.domain.units import Price
from core.venues.limiter import Priority
from core.venues.polymarket import clob, discovery
from core.venues.polymarket.catalog import Catalog, market_decoder
from core.venues.polymarket.discovery import VALUES_MAX, EventFilter, MarketFilter
from core.venues.polymarket.gamma import Listed, Quarantined, settlement
from core.venues.polymarket.gamma_wire import EventHead, EventWire, Slug
from core.venues.polymarket.tokens import looks_like_position
from core.venues.reader import Reader
from core.venues.venue import Incomplete, SettlementReport
from core.venues.wire import Odd, WireError, decode

POLL_S: Final = 30.0
ASK_AGAIN_S: Final = 60.0
HINDERED_AGAIN_S: Final = 5.0
"""Pauses before the market of a token is asked for again: it was not understood, or not answered."""
HYDRATION_S: Final = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""A market can be listed minutes before it has tokens and a book; the last pause repeats."""
HYDRATION_TRIES: Final = 50
"""Four hours; after that only a list brings it back."""

_event = msgspec.json.Decoder(EventWire)


class _Events(msgspec.Struct, frozen=True):
    slug: Slug
    events: list[EventHead] | None = None


_events_of = msgspec.json.Decoder(_Events)


class Ears(Protocol):
    """Who hears that a market changed or paid."""

    def on_market(self, market: Market) -> None: ...

    def on_settlement(self, report: SettlementReport) -> None: ...


class Listing:
    """The catalog and everything that changes it. ``on_paid`` hears of a market that is paid and dropped."""

    def __init__(
        self,
        gamma: Reader,
        books: Reader,
        listener: Ears,
        clocks: Clocks,
        on_anomaly: Callable[[str, str], None],
        on_paid: Callable[[str], None],
    ) -> None:
        self.catalog = Catalog(on_anomaly)
        self._gamma, self._books, self._listener, self._clocks = gamma, books, listener, clocks
        self._on_anomaly, self._on_paid = on_anomaly, on_paid
        self._events: dict[str, EventHead] = {}
        self._words: dict[str, str] = {}
        """Under which word each event was found."""
        self._stale: set[str] = set()
        """Markets to read again at once."""
        self._hydrating: dict[str, tuple[int, float]] = {}
        """Markets without tokens yet: tries made, and when (loop time) to look again."""
        self._asked: dict[str, tuple[float, Incomplete | None]] = {}
        """Tokens of no known market: the loop time before which they are not asked for again, and what
        hinders their look-up."""
        self._wake = asyncio.Event()

    # --- reading lists ----------------------------------------------------------------------------

    async def markets(self, words: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        """Every market under these words that is not settled; all of them or ``Incomplete``."""
        found: dict[str, Market] = {}
        for word in words:
            events = await self._of_word(word)
            if isinstance(events, Incomplete):
                return events
            for raw in events:
                found.update(self._learn(raw, word))
                await asyncio.sleep(0)  # an event may have many markets: the loop turns before the next
        followed = {m.ticker for m in self.catalog.markets.values() if m.series_ticker in words}
        self.read_again(followed - found.keys())
        return tuple(found.values())

    async def _of_word(self, word: str) -> Sequence[msgspec.Raw] | Incomplete:
        kind, colon, name = word.partition(":")
        if kind == "tag" and name:
            return await discovery.read_events(self._gamma, EventFilter(closed=False, tag_slug=name[:128]))
        if kind == "series" and name.isascii() and name.isdigit():
            return await discovery.read_events(self._gamma, EventFilter(closed=False, series=name))
        if colon or not word:
            said = clean_text(word, 60)
            return Incomplete("markets", f"{said!r} is no tag:slug, series:id or event slug")
        event = await discovery.read_event(self._gamma, word)
        return event if isinstance(event, Incomplete) else (event,)

    async def market(self, ticker: str) -> Market | Incomplete:
        """One market of any event; it is known from then on."""
        what = f"market {clean_text(ticker, 80)}"
        raw = await discovery.read_market(self._gamma, ticker, Priority.FLATTEN)
        if isinstance(raw, Incomplete):
            return raw
        event = self._event_of(raw)
        if event is None:
            return Incomplete(what, "the venue does not say of which event it is")
        found = self._take(raw, event)
        if isinstance(found, Quarantined):
            return Incomplete(what, found.reason)
        return found.market

    async def learn(self, tokens: Iterable[str]) -> Incomplete | None:
        """Learn the markets these tokens are of, open or over. What cannot be understood stays unknown.

        ``Incomplete``: the market of one could not be looked up, so nobody knows yet what to call it.
        """
        now = asyncio.get_running_loop().time()
        unknown = [token for token in sorted(set(tokens)) if self.catalog.of_token(token) is None]
        due = [token for token in unknown if token not in self._asked or now >= self._asked[token][0]]
        under_way = Incomplete("markets of tokens", "they are being looked up")
        self._asked.update(dict.fromkeys(due, (now + ASK_AGAIN_S, under_way)))
        numbers = [token for token in due if token.isascii() and token.isdigit()]
        self._asked.update({token: (now + ASK_AGAIN_S, None) for token in due if token not in numbers})
        for positions in (False, True):
            asked = [token for token in numbers if looks_like_position(int(token)) is positions]
            for start in range(0, len(asked), VALUES_MAX):
                await self._look_up(tuple(asked[start : start + VALUES_MAX]), positions=positions)
        hindered = (self._asked[token][1] for token in unknown if self.catalog.of_token(token) is None)
        return next(filter(None, hindered), None)

    async def _look_up(self, tokens: tuple[str, ...], *, positions: bool) -> None:
        """Take what the venue has of these tokens' markets, open and closed; all are of one generation."""
        by_id = MarketFilter(positions=tokens) if positions else MarketFilter(tokens=tokens)
        hindered: Incomplete | None = None
        for closed in (False, True):
            wanted = msgspec.structs.replace(by_id, closed=closed)
            rows = await discovery.read_markets(self._gamma, wanted)
            if isinstance(rows, Incomplete):
                hindered = Incomplete("markets of tokens", rows.reason)
                self._on_anomaly("market", f"markets of tokens could not be looked up: {rows.reason}")
                continue
            for raw in rows:
                event = self._event_of(raw)
                if event is not None:
                    self._take(raw, event)
        pause_s = ASK_AGAIN_S if hindered is None else HINDERED_AGAIN_S
        again = asyncio.get_running_loop().time() + pause_s
        self._asked.update(dict.fromkeys(tokens, (again, hindered)))

    async def settled(self, tokens: Iterable[str]) -> tuple[SettlementReport, ...] | Incomplete:
        """What the markets of these tokens paid, of those that are paid."""
        found: list[SettlementReport] = []
        asked = sorted({known[0] for token in tokens if (known := self.catalog.of_token(token)) is not None})
        for start in range(0, len(asked), VALUES_MAX):
            wanted = MarketFilter(slugs=tuple(asked[start : start + VALUES_MAX]), closed=True)
            rows = await discovery.read_markets(self._gamma, wanted)
            if isinstance(rows, Incomplete):
                return rows
            for raw in rows:
                try:
                    paid = settlement(decode(raw, market_decoder, "market"), Odd())
                except WireError as error:
                    self._on_anomaly("settlement", str(error))
                    continue
                if paid is not None:
                    found.append(paid)
        return tuple(found)

    def _learn(self, raw: msgspec.Raw, word: str) -> dict[str, Market]:
        try:
            event = decode(raw, _event, "event")
        except WireError as error:
            # One event we cannot read must not hide the others; its markets are simply not traded.
            self._on_anomaly("event", str(error))
            return {}
        self._events[event.slug] = event
        self._words.setdefault(event.slug, word)
        found: dict[str, Market] = {}
        for one in event.markets or ():
            taken = self._take(one, event)
            if isinstance(taken, Listed) and taken.market.ticker in self.catalog.markets:
                found[taken.market.ticker] = taken.market
        return found

    def _event_of(self, raw: msgspec.Raw) -> EventHead | None:
        """The event a market read on its own belongs to."""
        try:
            row = decode(raw, _events_of, "market")
        except WireError as error:
            self._on_anomaly("market", str(error))
            return None
        known = self.catalog.markets.get(row.slug)
        if not row.events:
            return self._events.get(known.event_ticker) if known is not None else None
        return self._events.setdefault(row.events[0].slug, row.events[0])

    def _take(self, raw: msgspec.Raw, event: EventHead) -> Listed | Quarantined:
        """Learn a market; what is paid is told and dropped, what has no tokens yet is asked for later."""
        taken = self.catalog.learn(raw, event, self._words.get(event.slug, event.slug))
        if isinstance(taken, Quarantined):
            if taken.hydrating:
                self._hydrating.setdefault(taken.name, (0, self._later(0)))
                self._wake.set()
            return taken
        ticker = taken.market.ticker
        self._hydrating.pop(ticker, None)
        paid = settlement(self.catalog.wires[ticker], Odd())
        if paid is not None:
            self._drop(paid)
        return taken

    def _drop(self, paid: SettlementReport) -> None:
        self.catalog.forget(paid.ticker)
        self._on_paid(paid.ticker)
        self._listener.on_settlement(paid)

    # --- keeping it true --------------------------------------------------------------------------

    def read_again(self, tickers: Iterable[str]) -> None:
        """These markets have changed, or may have."""
        self._stale.update(tickers)
        if self._stale:
            self._wake.set()

    def retick(self, ticker: str, tick: Price) -> None:
        changed = self.catalog.retick(ticker, tick)
        if changed is not None:
            self._listener.on_market(changed)

    async def confirm(self, ticker: str) -> Incomplete | None:
        """Ask the CLOB for a market's terms of trading; one it contradicts is not traded any more."""
        terms, what = self.catalog.terms.get(ticker), f"terms of {ticker}"
        if terms is None:
            return Incomplete(what, "the market is not known")
        said = await clob.read_trading(self._books, terms.condition_id)
        if isinstance(said, Incomplete):
            return said
        try:
            changed = self.catalog.confirm(ticker, said)
        except WireError as error:
            self.refuse(ticker, str(error))
            return None
        if changed is not None:
            self._listener.on_market(changed)
        return None

    def refuse(self, ticker: str, reason: str) -> None:
        """The order book contradicts what is listed of this market: trade it no more."""
        changed = self.catalog.refuse(ticker, reason)
        if changed is not None:
            self._listener.on_market(changed)

    async def run(self) -> None:
        """Read again what is said to have changed, what should be over, and what had no tokens yet."""
        while True:
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._wake.wait()
            except TimeoutError:
                self._stale.update(self._unfinished())
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            due = {name for name, (_, at) in self._hydrating.items() if at <= now}
            asked, self._stale = sorted(self._stale | due), set()
            for name in due:
                tries = self._hydrating.pop(name)[0] + 1
                if tries < HYDRATION_TRIES:
                    self._hydrating[name] = tries, self._later(tries)
            for start in range(0, len(asked), VALUES_MAX):
                await self._refresh(asked[start : start + VALUES_MAX])

    def _pause_s(self) -> float:
        now = asyncio.get_running_loop().time()
        return max(0.0, min([POLL_S, *(at - now for _, at in self._hydrating.values())]))

    def _later(self, tries: int) -> float:
        return asyncio.get_running_loop().time() + HYDRATION_S[min(tries, len(HYDRATION_S) - 1)]

    def _unfinished(self) -> set[str]:
        """Markets whose end is near or past, or that do not trade for another reason."""
        soon_ms = self._clocks.world_ms() + int(POLL_S * 1_000)
        return {
            market.ticker
            for market in self.catalog.markets.values()
            if market.close_ms <= soon_ms or market.status is not MarketStatus.ACTIVE
        }

    async def _refresh(self, slugs: Sequence[str]) -> None:
        """Read some markets; open and closed ones are two lists."""
        for closed in (False, True):
            wanted = MarketFilter(slugs=tuple(slugs), closed=closed)
            rows = await discovery.read_markets(self._gamma, wanted)
            if isinstance(rows, Incomplete):
                self._on_anomaly("market", f"{len(slugs)} markets could not be read again: {rows.reason}")
                return
            for raw in rows:
                event = self._event_of(raw)
                if event is not None:
                    self._changed(raw, event)

    def _changed(self, raw: msgspec.Raw, event: EventHead) -> None:
        held = {m.ticker: m for m in self.catalog.markets.values() if m.event_ticker == event.slug}
        taken = self._take(raw, event)
        if isinstance(taken, Listed):
            ticker = taken.market.ticker
            if ticker in self.catalog.markets and held.get(ticker) != taken.market:
                self._listener.on_market(taken.market)
        elif taken.name in held and not taken.hydrating:
            # Its terms are not understood any more: whoever trades it must know.
            self._listener.on_market(msgspec.structs.replace(held[taken.name], status=MarketStatus.UNKNOWN))
