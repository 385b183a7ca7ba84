"""From feed values to fair values: the newest inputs of each station, priced event by event."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clocks
from core.domain.market import MarketStatus
from core.engine.alarms import Alarms
from core.engine.record import Scribe
from core.engine.state import AlarmLevel, DeskState, EventState, MarketState
from core.feeds.stations import stations
from core.feeds.values import WeatherValue
from core.journal.events import Kind
from core.models.fair_value import EventFair, FairValue, NoPrice
from core.models.weather.inputs import StationInputs, absorb
from core.models.weather.price import ModelId, price_event
from core.models.weather.score import Record, settled
from core.venues.venue import BookView

HOUR_MS = 3_600_000
CHANGE_SAMPLE_MS = 300_000
"""World time between kept samples of a fair value for its change over the hour."""
JUMP_WINDOW_NS = 5_000_000_000


class Pricing:
    """Holds inputs and prices events. ``changed_ns`` and ``before`` explain a jump to the gate."""

    def __init__(
        self,
        *,
        state: DeskState,
        books: Callable[[str], BookView | None],
        clocks: Clocks,
        scribe: Scribe,
        alarms: Alarms,
        model: ModelId,
        replay_offset_days: int | None,
        on_priced: Callable[[str], None],
    ) -> None:
        self._state = state
        self._books = books
        self._clocks = clocks
        self._scribe = scribe
        self._alarms = alarms
        self._model = model
        self._replay_offset_days = replay_offset_days
        self._on_priced = on_priced
        self._inputs = {icao: StationInputs(station) for icao, station in stations().items()}
        self._input_ns: dict[str, int] = {}
        self._past: dict[str, list[tuple[int, float]]] = {}
        self._shown: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
        """Model and book as first seen together, by event: what the score compares."""
        self.record = Record()

    # --- inputs --------------------------------------------------------------------------------

    def absorb(self, value: WeatherValue) -> None:
        """The feeds' sink: take one value and price what rests on its station at once."""
        held = self._inputs.get(value.station)
        if held is None:
            return
        self._inputs[value.station] = absorb(held, value)
        self._input_ns[value.station] = self._clocks.mono_ns()
        for event in self._state.events.values():
            if self._station(event) == value.station:
                self.price(event)

    def price_all(self) -> None:
        """Time passes without news too: the rest of a day shrinks, inputs grow old."""
        for event in self._state.events.values():
            if any(self._state.markets[t].market.status is MarketStatus.ACTIVE for t in event.markets):
                self.price(event)

    def explained(self, event_ticker: str) -> bool:
        """Whether an input of this event arrived within the last seconds, which explains a jump."""
        event = self._state.events.get(event_ticker)
        at = self._input_ns.get(self._station(event) or "", 0) if event is not None else 0
        return at > 0 and self._clocks.mono_ns() - at <= JUMP_WINDOW_NS

    def before(self, ticker: str) -> float | None:
        """The probability five seconds ago, ``None`` if it has not changed since."""
        since = self._clocks.mono_ns() - JUMP_WINDOW_NS
        return next((value for at, value in self._past.get(ticker, ()) if at >= since), None)

    def forget(self, ticker: str, event_ticker: str) -> None:
        """A market left the desk."""
        self._past.pop(ticker, None)
        self._shown.pop(event_ticker, None)

    def _station(self, event: EventState | None) -> str | None:
        if event is None or not event.markets:
            return None
        return self._state.markets[event.markets[0]].market.station

    # --- pricing -------------------------------------------------------------------------------

    def price(self, event: EventState) -> None:
        """Price one event; a refusal keeps the old figures, marked by its reason."""
        markets = [self._state.markets[t].market for t in event.markets]
        inputs = self._inputs.get(self._station(event) or "")
        priced = price_event(
            markets, inputs, self._model, self._clocks.world_ms(), event.fair, self._replay_offset_days
        )
        if isinstance(priced, NoPrice):
            if event.refusal != priced.reason:
                event.refusal = priced.reason
                self._touch(event)
            return
        known, refused = event.fair, event.refusal
        event.fair, event.refusal = priced, ""
        if known is not None and not refused and _same(known, priced):
            return
        for fair in priced.values:
            self._keep(self._state.markets[fair.ticker], fair)
        if known is not None:
            self._tell_moves(event, known, priced)
        self._touch(event)

    def _keep(self, market: MarketState, fair: FairValue) -> None:
        now_ns, world = self._clocks.mono_ns(), fair.computed_ms
        past = self._past.setdefault(fair.ticker, [])
        if market.fair is not None:
            past.append((now_ns, market.fair.probability))
        while past and now_ns - past[0][0] > JUMP_WINDOW_NS:
            past.pop(0)
        market.fair = fair
        hour = market.fair_hour
        if not hour or world - hour[-1][0] >= CHANGE_SAMPLE_MS:
            hour.append((world, fair.probability))
        while len(hour) > 1 and world - hour[1][0] >= HOUR_MS:
            hour.pop(0)

    def _tell_moves(self, event: EventState, known: EventFair, priced: EventFair) -> None:
        before = {fair.ticker: fair for fair in known.values}
        moved = sum(
            abs(fair.probability - old.probability) > max(old.sigma, 0.01)
            for fair in priced.values
            if (old := before.get(fair.ticker)) is not None
        )
        if moved and priced.drivers != known.drivers:
            what = f"{event.label}: {priced.why}; mean {priced.mean - known.mean:+.1f}F, {moved} values moved"
            self._alarms.raise_(f"fair {event.ticker} {priced.computed_ms}", AlarmLevel.NOTE, what)
            self._scribe.desk(Kind.FAIR, what, mean=priced.mean, spread=priced.spread, version=priced.version)

    def _touch(self, event: EventState) -> None:
        self._state.changed_events.touch(event.ticker)
        for ticker in event.markets:
            self._state.changed_markets.touch(ticker)
        self._on_priced(event.ticker)

    # --- score ---------------------------------------------------------------------------------

    def note_books(self) -> None:
        """Remember model and book of each event the first time both are complete."""
        for event in self._state.events.values():
            if event.fair is None or event.ticker in self._shown or event.refusal:
                continue
            mids = [self._mid(fair.ticker) for fair in event.fair.values]
            if all(mid is not None for mid in mids):
                model = tuple(fair.probability for fair in event.fair.values)
                self._shown[event.ticker] = (model, tuple(mid or 0.0 for mid in mids))

    def _mid(self, ticker: str) -> float | None:
        view = self._books(ticker)
        if view is None or view.book.best_bid is None or view.book.best_ask is None:
            return None
        return (view.book.best_bid + view.book.best_ask) / 20_000

    def settle(self, event_ticker: str) -> None:
        """Score an event once all of its markets have a result."""
        event, shown = self._state.events.get(event_ticker), self._shown.get(event_ticker)
        if event is None or shown is None or event.fair is None:
            return
        order = [fair.ticker for fair in event.fair.values]
        results = [self._state.markets[t].market.result for t in order if t in self._state.markets]
        if len(results) != len(order) or results.count("yes") != 1 or "" in results:
            return
        del self._shown[event_ticker]
        self.record = settled(self.record, shown[0], shown[1], results.index("yes"))
        for other in self._state.events.values():
            other.score = self.record.sentence()
            self._state.changed_events.touch(other.ticker)
        self._scribe.desk(
            Kind.FAIR,
            f"{event.label} settled: {self.record.sentence()}",
            record=msgspec.to_builtins(self.record),
        )


def _same(known: EventFair, priced: EventFair) -> bool:
    """Whether a new price says nothing that shows: probabilities within a hundredth of a cent."""
    return (
        known.version == priced.version
        and known.drivers == priced.drivers
        and [v.inputs for v in known.values[:1]] == [v.inputs for v in priced.values[:1]]
        and len(known.values) == len(priced.values)
        and all(
            abs(a.probability - b.probability) < 0.0001
            for a, b in zip(known.values, priced.values, strict=True)
        )
    )
