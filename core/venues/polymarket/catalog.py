"""The markets this client knows: domain terms, venue terms, and those it refuses to touch with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from core.domain.market import Market, MarketStatus
from core.domain.order import Outcome
from core.domain.units import ONE_CONTRACT, Price, Quantity, price_text, quantity_text
from core.venues.polymarket.book_wire import Sums, shortest
from core.venues.polymarket.clob import Trading
from core.venues.polymarket.gamma import (
    HydratingError,
    Listed,
    Quarantined,
    listed,
    named,
    tick_grid,
)
from core.venues.polymarket.gamma_wire import EventHead, MarketHead, MarketWire
from core.venues.polymarket.terms import Terms
from core.venues.wire import Odd, WireError, decode

QUARANTINED_MAX: Final = 10_000
PAST_MAX: Final = 20_000

market_decoder = msgspec.json.Decoder(MarketWire)
_head = msgspec.json.Decoder(MarketHead)


class Catalog:
    """Markets by ticker, token and condition. Oddities of a market are told once, not at each read."""

    def __init__(self, on_anomaly: Callable[[str, str], None]) -> None:
        self.markets: dict[str, Market] = {}
        self.terms: dict[str, Terms] = {}
        self.quarantined: dict[str, Quarantined] = {}
        self.wires: dict[str, MarketWire] = {}
        """The last word of Gamma on each market."""
        self.volumes: dict[str, Quantity] = {}
        """Dollars traded so far, by that word."""
        self._confirmed: dict[str, Trading] = {}
        """The CLOB's own terms of a market: they hold over what Gamma has cached."""
        self._conditions: dict[str, str] = {}
        self._tokens: dict[str, tuple[str, Outcome]] = {}
        self._past: dict[str, tuple[str, Outcome, str]] = {}
        """Tokens of markets that are over or not traded any more, with the venue's page: trades of them may
        still be told."""
        self._over: dict[str, Market] = {}
        """Markets that are over: what a trade there cost is still asked."""
        self._noted: dict[str, tuple[str, ...]] = {}
        self._on_anomaly = on_anomaly

    def learn(self, raw: msgspec.Raw, event: EventHead, series: str) -> Listed | Quarantined:
        """Take over a market as read, or keep it apart with the reason (and an anomaly)."""
        odd = Odd()
        try:
            wire = decode(raw, market_decoder, "market")
            found = self._as_confirmed(listed(wire, event, series, odd))
            self._check_unique(found.terms)
        except WireError as error:
            return self._quarantine(raw, error)
        ticker = found.market.ticker
        self.quarantined.pop(ticker, None)
        traded = odd.number(wire.volume_num, "volumeNum")
        self._report(ticker, odd.notes)
        self._drop(ticker)
        self.wires[ticker] = wire
        if traded is not None:
            self.volumes[ticker] = Quantity(round(traded * ONE_CONTRACT))
        self.markets[ticker], self.terms[ticker] = found.market, found.terms
        self._conditions[found.terms.condition_id] = ticker
        for outcome in Outcome:
            self._tokens[found.terms.token(outcome)] = ticker, outcome
        return found

    def forget(self, ticker: str) -> None:
        """Drop a market that is over. Its tokens are still known."""
        known = self.markets.get(ticker)
        if known is not None:
            self._over[ticker] = known
            while len(self._over) > PAST_MAX:
                del self._over[next(iter(self._over))]
        self._part_with(ticker)
        self._confirmed.pop(ticker, None)
        self._noted.pop(ticker, None)

    def known(self, ticker: str) -> Market | None:
        """A market that is or was here."""
        return self.markets.get(ticker) or self._over.get(ticker)

    def of_token(self, token: str) -> tuple[str, Outcome] | None:
        """Which market's which outcome a token is, or was."""
        past = self._past.get(token)
        return self._tokens.get(token) or (past[:2] if past is not None else None)

    def page_of(self, token: str) -> str:
        """The venue's own page of a token's event; empty where it is not known."""
        past, owner = self._past.get(token), self._tokens.get(token)
        return self.terms[owner[0]].url if owner is not None else past[2] if past is not None else ""

    def confirm(self, ticker: str, said: Trading) -> Market | None:
        """Take over what the CLOB says of a market; the market, where that changed it.

        Raises ``WireError`` when the two do not speak of the same thing.
        """
        known = self.markets.get(ticker)
        if known is None:
            return None
        # Kept even where it contradicts: a later list must not bring the market back.
        self._confirmed[ticker] = said
        agreed = self._agreed(Listed(known, self.terms[ticker]), said)
        self.markets[ticker], self.terms[ticker] = agreed.market, agreed.terms
        return agreed.market if agreed.market != known else None

    def refuse(self, ticker: str, reason: str) -> Market | None:
        """Trade this market no more; the market as whoever watches it should see it."""
        known = self.markets.get(ticker)
        if known is None:
            return None
        self._part_with(ticker)
        self.quarantined[ticker] = Quarantined(ticker, known.title, reason)
        self._report(ticker, [f"not traded: {reason}"])
        return msgspec.structs.replace(known, status=MarketStatus.UNKNOWN)

    def sums(self, ticker: str) -> Sums:
        """What a book's checksum needs of its market, in the books' own spelling."""
        terms = self.terms[ticker]
        return Sums(shortest(quantity_text(terms.minimum)), shortest(price_text(terms.tick)), terms.neg_risk)

    def retick(self, ticker: str, tick: Price) -> Market | None:
        """The market on its new grid; ``None`` when that is no news."""
        known = self.markets.get(ticker)
        if known is None or self.terms[ticker].tick == tick:
            return None
        said = self._confirmed.get(ticker)
        if said is not None:
            self._confirmed[ticker] = msgspec.structs.replace(said, tick=tick)
        self.terms[ticker] = msgspec.structs.replace(self.terms[ticker], tick=tick)
        self.markets[ticker] = msgspec.structs.replace(known, grid=tick_grid(tick))
        return self.markets[ticker]

    def _as_confirmed(self, found: Listed) -> Listed:
        said = self._confirmed.get(found.market.ticker)
        return self._agreed(found, said) if said is not None else found

    def _agreed(self, found: Listed, said: Trading) -> Listed:
        """Tick, minimum and fees are the CLOB's word; ids, version and exchange must be the same."""
        terms = found.terms
        if said.version is not terms.version or {said.tokens.yes, said.tokens.no} != {
            terms.tokens.yes,
            terms.tokens.no,
        }:
            raise WireError("the order book and the listing name different tokens")
        if said.neg_risk is not terms.neg_risk:
            raise WireError("the order book and the listing name different exchanges")
        replace = msgspec.structs.replace
        return Listed(
            replace(found.market, grid=tick_grid(said.tick), fees=said.fees, minimum=said.minimum),
            replace(terms, tick=said.tick, minimum=said.minimum),
        )

    def _check_unique(self, terms: Terms) -> None:
        """Two markets with one token would share a book, a position and every fill."""
        owners = {self._conditions.get(terms.condition_id)}
        owners.update(self._tokens.get(terms.token(outcome), (None,))[0] for outcome in Outcome)
        if owners - {None, terms.ticker}:
            raise WireError(f"its ids are those of {', '.join(sorted(o for o in owners if o))}")

    def _quarantine(self, raw: msgspec.Raw, error: WireError) -> Quarantined:
        try:
            name, title = named(decode(raw, _head, "market"))
        except WireError:
            name, title = named(MarketHead())
        kept = Quarantined(name, title, str(error), hydrating=isinstance(error, HydratingError))
        self._part_with(name)
        if len(self.quarantined) < QUARANTINED_MAX:
            self.quarantined[name] = kept
        self._report(name, [f"not traded: {error}"])
        return kept

    def _part_with(self, ticker: str) -> None:
        """Drop a market and remember what its tokens were: its trades keep the name they were told under."""
        terms = self.terms.get(ticker)
        if terms is not None:
            for outcome in Outcome:
                self._past[terms.token(outcome)] = ticker, outcome, terms.url
            while len(self._past) > PAST_MAX:
                del self._past[next(iter(self._past))]
        self._drop(ticker)

    def _drop(self, ticker: str) -> None:
        terms = self.terms.pop(ticker, None)
        self.markets.pop(ticker, None)
        self.wires.pop(ticker, None)
        self.volumes.pop(ticker, None)
        if terms is not None:
            self._conditions.pop(terms.condition_id, None)
            for outcome in Outcome:
                self._tokens.pop(terms.token(outcome), None)

    def _report(self, ticker: str, notes: list[str]) -> None:
        if self._noted.get(ticker, ()) != tuple(notes):
            self._noted[ticker] = tuple(notes)
            for note in notes:
                self._on_anomaly("market", f"{ticker}: {note}")
