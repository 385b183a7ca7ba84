"""What the models said and what came: taken down at fixed moments, settled, and what a model may do by it.

Everything here is a row of the journal: a restart folds those of ``Kind.FORECAST`` and ``Kind.OUTCOME`` into
the same record. What a simulated world brings along of its past is no row: it is there before the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from core.domain.clock import Clocks
from core.domain.market import Market, Venue, settled_f
from core.domain.order import BookSide, Purpose
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Price, complement
from core.engine.state import DeskState, EventState
from core.execution.ledger import Ledger
from core.journal.events import Event, Kind, Row
from core.journal.store import EventLog
from core.models.calibration import Standing
from core.models.fair_value import EventFair
from core.models.foreseen import LATE_MS, Came, Entry, Foreseen, Moment, Said, day_of, due, kind_of
from core.models.pooling import Weights
from core.models.record import Record

ASKED_AFTER_MS = 1_800_000
"""An event that left the desk unsettled is asked for so long after its close, and no oftener."""
ASKED_MAX = 3
"""Events asked for at a time."""
AMENDED_WITHIN_MS = 7 * 86_400_000
"""An outcome is not heard of again so long after it came: what was said of its event is let go of."""
LOST_AFTER_MS = 30 * 86_400_000
"""So long after that an event whose outcome never came is asked for no more."""


class Witnessed(msgspec.Struct):
    """Forecasts by event and moment, and the newest outcome of each event."""

    looks: dict[str, dict[Moment, Foreseen]] = {}
    came: dict[str, Came] = {}

    def foresee(self, look: Foreseen) -> None:
        self.looks.setdefault(look.event, {})[look.moment] = look

    def take(self, row: Row) -> None:
        """Fold one row of a journal; raises ``msgspec.MsgspecError`` for a payload of another shape."""
        if row.kind == Kind.FORECAST.value:
            self.foresee(_look.decode(row.payload))
        elif row.kind == Kind.OUTCOME.value:
            came = _came.decode(row.payload)
            self.came[came.event] = came


_look, _came = msgspec.json.Decoder(Foreseen), msgspec.json.Decoder(Came)


def record_of(past: Iterable[tuple[Foreseen, Came]], known: Witnessed, *, simulated: bool) -> Record:
    """What the journal knows, after what a simulated world brought along."""
    record = Record(simulated=simulated)
    for look, came in past:
        record.add((look,), came)
    for event, came in known.came.items():
        record.add(tuple(known.looks.get(event, {}).values()), came)
    return record


class Forecasts:
    """Takes looks and outcomes down as time passes; ``record`` is what they come to."""

    def __init__(
        self,
        *,
        state: DeskState,
        ledger: Ledger,
        clocks: Clocks,
        log: EventLog,
        known: Witnessed,
        past: Iterable[tuple[Foreseen, Came]] = (),
        simulated: bool,
        on_standing: Callable[[str, str, Standing], None],
    ) -> None:
        """``on_standing`` hears of a series and a model whose record allows something else than before."""
        self._state, self._ledger, self._clocks, self._log = state, ledger, clocks, log
        self._simulated, self._on_standing = simulated, on_standing
        self._known = known
        self._next_ms: dict[str, int] = {}
        """When an event on the desk is looked at next, world time."""
        self._closing: dict[str, float] = {}
        """What the market said last of what we bought in events that were forecast, by ticker, while it was
        open."""
        self._asked_ms: dict[str, int] = {}
        self.record = record_of(past, known, simulated=simulated)
        self._let_go()

    def _let_go(self) -> None:
        since_ms = self._clocks.world_ms() - AMENDED_WITHIN_MS
        over = [event for event, came in self._known.came.items() if came.at_ms < since_ms]
        lost_ms = since_ms - LOST_AFTER_MS
        lost = [event for event, looks in self._known.looks.items() if _closed_ms(looks) < lost_ms]
        for event in {*over, *lost}:
            self._known.came.pop(event, None)
            for look in self._known.looks.pop(event, {}).values():
                for ticker in look.tickers:
                    self._closing.pop(ticker, None)
            self._asked_ms.pop(event, None)
        self._next_ms = {event: at for event, at in self._next_ms.items() if event in self._state.events}

    # --- looks ---------------------------------------------------------------------------------

    def look(self) -> None:
        """Take down what is due, and what the market says of what is held."""
        now_ms = self._clocks.world_ms()
        for event in self._state.events.values():
            if event.fair is None or event.refusal:
                continue
            if now_ms >= self._next_ms.get(event.ticker, 0):
                self._take(event, event.fair, now_ms)
            first = self._state.markets.get(event.fair.values[0].ticker)
            score = self.record.score(kind_of(first.market), event.fair.model) if first is not None else ""
            if event.score != score:
                event.score = score
                self._state.changed_events.touch(event.ticker)
        self._mark_closing(now_ms)

    def _take(self, event: EventState, fair: EventFair, now_ms: int) -> None:
        """One look where a moment is due that has none; a fair value that is not complete waits."""
        first = self._state.markets[fair.values[0].ticker].market
        taken = self._known.looks.get(event.ticker, {})
        day = day_of(first.close_ms, first.climate_day)
        moments = {Moment.FIRST: now_ms, **due(first.open_ms, first.close_ms, day)}
        ahead = [at for moment, at in moments.items() if moment not in taken and at > now_ms]
        here = [m for m, at in moments.items() if m not in taken and 0 <= now_ms - at <= LATE_MS]
        if now_ms >= first.close_ms or not here:
            self._next_ms[event.ticker] = min(ahead, default=first.close_ms + LATE_MS)
            return
        market = [value.market_probability for value in fair.values]
        said = tuple(q for q in market if q is not None)
        if len(said) != len(market):
            return
        for moment in here:
            self._write(_foreseen(fair, first, day, moment, said, now_ms, self._simulated))

    def _write(self, look: Foreseen) -> None:
        self._known.foresee(look)
        self._log.append(Event(Kind.FORECAST, look))

    def _mark_closing(self, now_ms: int) -> None:
        for ticker in self._ledger.held:
            known = self._state.markets.get(ticker)
            if known is None or known.fair is None or now_ms >= known.market.close_ms:
                continue
            if known.market.event_ticker not in self._known.looks:
                continue  # nothing was said of it that could be scored
            if known.fair.market_probability is not None:
                self._closing[ticker] = known.fair.market_probability

    # --- outcomes ------------------------------------------------------------------------------

    def settle(self, event_ticker: str) -> None:
        """Score an event once all of its markets have a result."""
        event = self._state.events.get(event_ticker)
        if event is not None:
            self.came(event_ticker, [self._state.markets[t].market for t in event.markets])

    def came(self, event_ticker: str, markets: Iterable[Market]) -> None:
        """Some of an event's markets as they ended; nothing is written before all of them have."""
        looks = self._known.looks.get(event_ticker)
        results = {market.ticker: market for market in markets if market.result}
        if not looks or not all(ticker in results for look in looks.values() for ticker in look.tickers):
            return
        paid = {t: m.result == "yes" for t, m in sorted(results.items()) if m.result in ("yes", "no")}
        value = next((settled_f(m.expiration_value) for m in results.values() if m.station), None)
        before = self._known.came.get(event_ticker)
        if before is not None and (before.paid, before.value) == (paid, value):
            return
        entries = before.entries if before is not None else self._entries(sorted(results))
        came = Came(event_ticker, self._clocks.world_ms(), paid, value, entries)
        self._known.came[event_ticker] = came
        self._log.append(Event(Kind.OUTCOME, came))
        self._add(tuple(looks.values()), came)
        self._asked_ms.pop(event_ticker, None)
        self._let_go()

    def _add(self, looks: Sequence[Foreseen], came: Came) -> None:
        """Let the record know, and say so where a model may do something else by it."""
        before = {(look.series, look.model): self._standing(look) for look in looks}
        self.record.add(looks, came)
        for look in looks:
            key, now = (look.series, look.model), self._standing(look)
            if before.pop(key, now).verdict is not now.verdict:
                self._on_standing(*key, now)

    def _standing(self, look: Foreseen) -> Standing:
        return self.record.judge(look.series, look.model, Weights(0.0))

    def unsettled(self, venue: Venue, now_ms: int) -> Mapping[str, tuple[str, ...]]:
        """Tickers by event of what closed at a venue, has left the desk and is to be asked for now."""
        found: dict[str, tuple[str, ...]] = {}
        for event, looks in self._known.looks.items():
            look = next(iter(looks.values()))
            since_ms = self._asked_ms.get(event, look.closes_ms)
            gone = look.venue is venue and event not in self._known.came and event not in self._state.events
            if gone and now_ms - since_ms >= ASKED_AFTER_MS and len(found) < ASKED_MAX:
                self._asked_ms[event] = now_ms
                found[event] = look.tickers
        return found

    def _entries(self, tickers: Iterable[str]) -> tuple[Entry, ...]:
        """What was bought there against what the market said last; nothing where no engine saw that."""
        bought: dict[tuple[str, bool], _Bought] = {}
        wanted = {ticker for ticker in tickers if ticker in self._closing}
        beaten: list[Entry] = []
        for order in self._ledger.orders.values() if wanted else ():
            if order.intent.ticker not in wanted or order.intent.purpose is not Purpose.OPEN:
                continue
            for fill in order.fills:
                yes = fill.side is BookSide.BID
                own = fill.price if yes else complement(Price(fill.price))
                bought.setdefault((fill.ticker, yes), _Bought()).add(own, fill.quantity, order.intent.said)
        for (ticker, yes), all_of_it in bought.items():
            closing = self._closing[ticker] if yes else 1.0 - self._closing[ticker]
            beaten.append(all_of_it.entry(ticker, yes, closing))
        for ticker in wanted:
            del self._closing[ticker]
        return tuple(beaten)


class _Bought:
    """Contracts of one outcome, what was paid for them and what fair values said of it."""

    def __init__(self) -> None:
        self._count = self._paid = self._told = 0
        self._said = 0.0

    def add(self, price: int, count: int, said: float | None) -> None:
        self._count, self._paid = self._count + count, self._paid + price * count
        if said is not None:
            self._told, self._said = self._told + count, self._said + said * count

    def entry(self, ticker: str, yes: bool, closing: float) -> Entry:
        price = self._paid / self._count / ONE_DOLLAR
        return Entry(
            ticker,
            self._count / ONE_CONTRACT,
            round(math.log(closing / price), 5),
            yes,
            round(self._said / self._told, 5) if self._told else 0.0,
        )


def _closed_ms(looks: Mapping[Moment, Foreseen]) -> int:
    return max(look.closes_ms for look in looks.values())


def _foreseen(
    fair: EventFair,
    first: Market,
    day: str,
    moment: Moment,
    market: Sequence[float],
    now_ms: int,
    simulated: bool,
) -> Foreseen:
    laws = fair.laws if first.station is not None and fair.values[0].running_extreme is None else ()
    return Foreseen(
        venue=first.venue,
        event=fair.event_ticker,
        series=kind_of(first),
        model=fair.model,
        version=fair.version,
        moment=moment,
        at_ms=now_ms,
        closes_ms=first.close_ms,
        day=day,
        tickers=tuple(value.ticker for value in fair.values),
        alone=_rounded(value.model_probability for value in fair.values),
        market=_rounded(market),
        pooled=_rounded(value.probability for value in fair.values),
        weight=fair.weight,
        sharpen=fair.sharpen,
        exclusive=fair.exclusive,
        sources=tuple(age.name for age in fair.values[0].inputs),
        laws=tuple(_whole(one) for one in laws),
        simulated=simulated,
    )


def _rounded(chances: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(chance, 5) for chance in chances)


def _whole(said: Said) -> Said:
    location, scale = round(said.location, 4), round(said.scale, 4)
    return msgspec.structs.replace(said, location=location, scale=scale)
