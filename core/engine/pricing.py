"""From feed values to fair values: the newest inputs of each model, all events that are due in one pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence, Set
from typing import Any

from core.domain.clock import Clocks
from core.domain.market import MarketStatus
from core.engine.alarms import Alarms
from core.engine.pricers import FixingPricer, Pricer, RangePricer, WeatherPricer
from core.engine.record import Scribe
from core.engine.state import AlarmLevel, DeskState, EventState, MarketState
from core.feeds.values import FeedValue
from core.journal.events import Kind
from core.models.calibration import Judge
from core.models.fair_value import EventFair, FairValue, NoPrice
from core.models.foreseen import kind_of
from core.models.pooling import usual
from core.models.prediction import Prediction
from core.models.valuing import Judged, Quote, follow, value
from core.models.weather.coefficients import Learned
from core.models.weather.price import Knowledge, ModelId

HOUR_MS = 3_600_000
CHANGE_SAMPLE_MS = 300_000
"""World time between kept samples of a fair value for its change over the hour."""
JUMP_WINDOW_NS = 5_000_000_000
SETTLES_NS = 300_000_000
"""How long an event's fair values stand before something new is proposed on them."""
MOVES = 0.01
"""By less a fair value has not moved."""
STANDS_LOOKS = 10
"""So often an event is looked at for whether it stands, before what moved it is told all the same."""
PUSHED_EVERY_NS = 50_000_000
"""Real time between two passes over what pushed values move: what comes in between waits for the next."""
STEP_EVENTS = 6
"""Priced together in one step of the loop where nothing hurries."""
Spawn = Callable[[str, Coroutine[Any, Any, None]], object]
"""Runs observed work beside the caller."""


class Pricing:
    """Holds inputs and prices events. ``explained`` and ``before`` explain a jump to the gate."""

    def __init__(
        self,
        *,
        state: DeskState,
        clocks: Clocks,
        scribe: Scribe,
        alarms: Alarms,
        model: ModelId,
        knowledge: Knowledge,
        on_moved: Callable[[Set[str]], Awaitable[None]],
        spawn: Spawn,
        on_refused: Callable[[EventState], None],
        quote: Quote,
        judge: Judge,
        more: Sequence[Pricer] = (),
    ) -> None:
        """``on_moved`` hears of the events whose prices have changed, once for all of an answer, and
        ``on_refused`` of every look at an event that ends without a price. ``quote`` is the market that the
        models are pooled with, ``judge`` what they count there. ``more`` are models that read the desk."""
        self._state = state
        self._clocks = clocks
        self._scribe = scribe
        self._alarms = alarms
        self._on_moved = on_moved
        self._spawn = spawn
        self._quote, self._judge = quote, judge
        self.on_news: Callable[[], None] = lambda: None
        """Called once ``on_moved`` has made of changed prices what it will: a viewer need not wait."""
        self._weather = WeatherPricer(model, knowledge)
        self._pricers: tuple[Pricer, ...] = (
            self._weather,
            RangePricer(),
            FixingPricer(),
            *more,
        )
        self._on_refused = on_refused
        self._input_ns: dict[str, int] = {}
        """When a value of a subject came last, of those of the last seconds."""
        self._due: set[str] = set()
        """Subjects whose pushed values are not priced yet."""
        self._moved: set[str] = set()
        """Events whose changed prices nobody has heard of yet."""
        self._passed_ns = -PUSHED_EVERY_NS
        self._passing = False
        self._past: dict[str, list[tuple[int, float]]] = {}
        self._untold: dict[str, EventFair] = {}
        """What was said of events before a forecast moved them, while they do not stand yet."""

    # --- inputs --------------------------------------------------------------------------------

    def absorb(self, value: FeedValue) -> None:
        """The feeds' sink: take one value and price what rests on it, at once or with the next pass."""
        for pricer in self._pricers:
            subject = pricer.absorb(value)
            if subject is None:
                continue
            self._input_ns[subject] = self._clocks.mono_ns()
            if not pricer.pushed:
                self._price_on({subject})
                continue
            self._due.add(subject)
            if not self._passing:
                self._passing = True
                self._spawn("price pushed values", self._pass())

    def learn(self, learned: Learned | None) -> None:
        """Other coefficients have been fitted, or those that were there are gone."""
        self._weather.learn(learned)
        self.price_all()

    async def _pass(self) -> None:
        """Price all that is due once the messages at hand are read and the last pass is long enough ago."""
        try:
            wait_ns = self._passed_ns + PUSHED_EVERY_NS - self._clocks.mono_ns()
            await asyncio.sleep(max(0, wait_ns) / 1e9)
        finally:
            self._passing = False
        due, self._due = self._due, set()
        self._passed_ns = self._clocks.mono_ns()
        self._price_on(due)

    def _price_on(self, subjects: set[str]) -> None:
        self.price([event for event in self._state.events.values() if self._subject(event) in subjects])

    def price_all(self) -> None:
        """What every price rests on has changed."""
        self.price([event for event in self._state.events.values() if self._open(event)])

    async def reprice(self) -> None:
        """Time passes without news too: the rest of a day shrinks, inputs grow old. As many events at once as
        make a short step of the loop."""
        since_ns = self._clocks.mono_ns() - JUMP_WINDOW_NS
        self._input_ns = {subject: at for subject, at in self._input_ns.items() if at >= since_ns}
        names = list(self._state.events)
        for start in range(0, len(names), STEP_EVENTS):
            known = (self._state.events.get(name) for name in names[start : start + STEP_EVENTS])
            self.price([event for event in known if event is not None and self._open(event)])
            await asyncio.sleep(0)

    def _open(self, event: EventState) -> bool:
        markets = self._state.markets
        return any(markets[ticker].market.status is MarketStatus.ACTIVE for ticker in event.markets)

    def expire(self) -> None:
        """Whatever rests on an input that has passed its limit is no price any more."""
        world_ms = self._clocks.world_ms()
        old = []
        for event in self._state.events.values():
            priced = event.fair.values[:1] if event.fair is not None and not event.refusal else ()
            if any(world_ms > fair.fresh_until_ms for fair in priced):
                old.append(event)
        self.price(old)

    def moving(self, event_ticker: str) -> bool:
        """Whether the model said something else of an event a moment ago: a run comes source by source, and
        books may have moved to where its last one leads."""
        event, since = self._state.events.get(event_ticker), self._clocks.mono_ns() - SETTLES_NS
        pricer, _ = self._priced_by(event)
        if event is None or event.fair is None or pricer is None or pricer.pushed:
            return False
        return any(
            at >= since and abs(said - fair.model_probability) > MOVES
            for fair in event.fair.values
            for at, said in self._past.get(fair.ticker, ())
        )

    def explained(self, event_ticker: str) -> bool:
        """Whether an input of this event arrived within the last seconds, which explains a jump."""
        event = self._state.events.get(event_ticker)
        at = self._input_ns.get(self._subject(event) or "", 0) if event is not None else 0
        return at > 0 and self._clocks.mono_ns() - at <= JUMP_WINDOW_NS

    def news(self, event_ticker: str) -> bool:
        """Whether an input that comes now and then just did: books may make more of it than the fair value
        does. One that is pushed all the time explains no book that leaves the fair value."""
        pricer, _ = self._priced_by(self._state.events.get(event_ticker))
        return pricer is not None and not pricer.pushed and self.explained(event_ticker)

    def before(self, ticker: str) -> float | None:
        """What the model said five seconds ago, ``None`` if that has not changed since."""
        since = self._clocks.mono_ns() - JUMP_WINDOW_NS
        return next((value for at, value in self._past.get(ticker, ()) if at >= since), None)

    def forget(self, event: EventState, ticker: str) -> None:
        """A market left the desk: what was said of its event was said of a set that is no more."""
        self._past.pop(ticker, None)
        event.fair = None
        for other in event.markets:
            self._state.markets[other].fair = None
            self._state.changed_markets.touch(other)

    def mapped(self, event: EventState) -> bool:
        """Whether there is a model for what an event settles on."""
        return self._subject(event) is not None

    def _subject(self, event: EventState | None) -> str | None:
        return self._priced_by(event)[1]

    def _priced_by(self, event: EventState | None) -> tuple[Pricer | None, str | None]:
        """The model for an event's family and its subject there."""
        if event is None or not event.markets:
            return None, None
        market = self._state.markets[event.markets[0]].market
        for pricer in self._pricers:
            subject = pricer.subject(market)
            if subject is not None:
                return pricer, subject
        return None, None

    # --- pricing -------------------------------------------------------------------------------

    def price(self, events: Iterable[EventState]) -> None:
        """Price these together. A refusal takes its event's prices away at once."""
        predicted: list[tuple[EventState, Prediction]] = []
        for event in events:
            found = self._predicted(event)
            if isinstance(found, NoPrice):
                self._refuse(event, found.reason)
            else:
                predicted.append((event, found))
        if predicted:
            judged = [self._judged(event, found) for event, found in predicted]
            for (event, _), priced in zip(predicted, value(judged, self._quote), strict=True):
                if priced.unsound:
                    self._refuse(event, priced.unsound)
                else:
                    self._take(event, priced)

    def follow(self, events: Iterable[str]) -> None:
        """Pool what the models said of these events with the market as it is now. No law is priced anew."""
        known = [
            (event, event.fair)
            for name in events
            if (event := self._state.events.get(name)) is not None and event.fair is not None
            if not event.refusal
        ]
        for (event, before), now in zip(known, follow([f for _, f in known], self._quote), strict=True):
            if now is before:
                continue
            event.fair = now
            for old, fair in zip(before.values, now.values, strict=True):
                if fair is not old:
                    self._state.markets[fair.ticker].fair = fair
                    self._state.changed_markets.touch(fair.ticker)

    def _judged(self, event: EventState, prediction: Prediction) -> Judged:
        series = kind_of(self._state.markets[event.markets[0]].market)
        weights = usual(prediction.sources, prediction.lead)
        return Judged(prediction, self._judge(series, prediction.model, weights), weights.sharpen)

    def _predicted(self, event: EventState) -> Prediction | NoPrice:
        markets = [self._state.markets[t].market for t in event.markets]
        if not markets:
            return NoPrice(event.ticker, "no markets")
        pricer, subject = self._priced_by(event)
        if pricer is None or subject is None:
            known = next((said for market in markets if (said := market.doubt or market.unpriced)), "")
            settled = markets[0].underlying
            named = f"settles on {settled}, which no model here prices" if settled else ""
            return NoPrice(event.ticker, known or named or f"no model for {markets[0].series_ticker}")
        return pricer.predict(markets, subject, self._clocks.world_ms(), event.fair)

    def _refuse(self, event: EventState, reason: str) -> None:
        if event.refused_ms is None:
            event.refused_ms = self._clocks.world_ms()
        if event.refusal != reason:
            event.refusal = reason
            for ticker in event.markets:
                self._state.markets[ticker].fair = None
            self._touch(event, event.markets)
        self._on_refused(event)

    def _take(self, event: EventState, priced: EventFair) -> None:
        known, refused = event.fair, event.refusal
        event.fair, event.refusal, event.refused_ms = priced, "", None
        if known is not None and not refused and _same(known, priced):
            return
        before = {fair.ticker: fair.probability for fair in known.values} if known and not refused else {}
        for fair in priced.values:
            self._keep(self._state.markets[fair.ticker], fair)
        if known is not None and priced.drivers != known.drivers and event.ticker not in self._untold:
            self._untold[event.ticker] = known
            self._spawn(f"tell what moved {event.ticker}", self._tell_moves(event))
        self._touch(event, [v.ticker for v in priced.values if _moved(before.get(v.ticker), v)])

    def _keep(self, market: MarketState, fair: FairValue) -> None:
        now_ns, world = self._clocks.mono_ns(), fair.computed_ms
        past = self._past.setdefault(fair.ticker, [])
        if market.fair is not None:
            past.append((now_ns, market.fair.model_probability))
        while past and now_ns - past[0][0] > JUMP_WINDOW_NS:
            past.pop(0)
        market.fair = fair
        hour = market.fair_hour
        if not hour or world - hour[-1][0] >= CHANGE_SAMPLE_MS:
            hour.append((world, fair.probability))
        while len(hour) > 1 and world - hour[1][0] >= HOUR_MS:
            hour.pop(0)

    async def _tell_moves(self, event: EventState) -> None:
        """Tell what moved an event once it stands: between the first source of a run and the last one its
        mean may be anywhere."""
        try:
            for _ in range(STANDS_LOOKS):
                await asyncio.sleep(SETTLES_NS / 1e9)
                if not self.moving(event.ticker):
                    break
        finally:
            known = self._untold.pop(event.ticker)
        priced = event.fair
        if priced is None or event.refusal:
            return
        before = {fair.ticker: fair for fair in known.values}
        moved = sum(
            abs(fair.model_probability - old.model_probability) > max(old.model_sigma, 0.01)
            for fair in priced.values
            if (old := before.get(fair.ticker)) is not None
        )
        if moved:
            values = "1 value" if moved == 1 else f"{moved} values"
            what = f"{event.label}: mean {priced.mean - known.mean:+.1f}F, {values} moved: {priced.why}"
            self._alarms.raise_(f"fair {event.ticker} {priced.computed_ms}", AlarmLevel.NOTE, what)
            self._scribe.desk(Kind.FAIR, what, mean=priced.mean, spread=priced.spread, version=priced.version)

    def _touch(self, event: EventState, moved: Iterable[str]) -> None:
        self._state.changed_events.touch(event.ticker)
        for ticker in moved:
            self._state.changed_markets.touch(ticker)
        if not self._moved:
            self._spawn("tell of moved prices", self._tell())
        self._moved.add(event.ticker)

    async def _tell(self) -> None:
        """Tell of every changed price once what came with it is priced too."""
        moved, self._moved = self._moved, set()
        await self._on_moved(moved)
        self.on_news()


def _same(known: EventFair, priced: EventFair) -> bool:
    """Whether a new price says nothing that shows: probabilities within a hundredth of a cent."""
    return (
        known.version == priced.version
        and (known.drivers, known.why) == (priced.drivers, priced.why)
        and [v.inputs for v in known.values[:1]] == [v.inputs for v in priced.values[:1]]
        and len(known.values) == len(priced.values)
        and not any(
            _moved(a.probability, b) or _told(a) != _told(b)
            for a, b in zip(known.values, priced.values, strict=True)
        )
    )


def _told(fair: FairValue) -> tuple[bool, str, str]:
    """What shows beside its figures."""
    return fair.market_probability is None, fair.unpooled, fair.doubt


def _moved(before: float | None, fair: FairValue) -> bool:
    """By what shows: a hundredth of a cent."""
    return before is None or abs(fair.probability - before) >= 0.0001
