"""What a market is: strike, tick grid, fee schedule, times. Pure values in the venue's own terms."""

from __future__ import annotations

import enum
import re

import msgspec

from core.domain.units import ONE_DOLLAR, Price, Quantity


class Venue(enum.Enum):
    KALSHI = "kalshi"
    POLYMARKET = "polymarket"

    @property
    def short(self) -> str:
        """What it is called on screen and by ``resume``."""
        return _SHORT[self]


_SHORT = {Venue.KALSHI: "KAL", Venue.POLYMARKET: "POLY"}

FIRST_VENUE = Venue.KALSHI
"""Meant by rows of journals from before there were two, which name none."""


class StrikeKind(enum.Enum):
    """Direction comes from here, never from the ticker's letter."""

    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    BETWEEN = "between"
    OTHER = "other"


class Strike(msgspec.Struct, frozen=True):
    """Condition under which YES pays. ``between`` is inclusive on both ends."""

    kind: StrikeKind
    floor: float | None = None
    cap: float | None = None

    def whole_degrees(self) -> tuple[int | None, int | None] | None:
        """Lowest and highest integer value that pays YES, ``None`` for an open end.

        ``None`` as a whole when the strike is not a range of integers (another kind, a missing or
        fractional bound).
        """
        floor, cap = _whole(self.floor), _whole(self.cap)
        match self.kind:
            case StrikeKind.BETWEEN if floor is not None and cap is not None and floor <= cap:
                return floor, cap
            case StrikeKind.GREATER if floor is not None:
                return floor + 1, None
            case StrikeKind.GREATER_OR_EQUAL if floor is not None:
                return floor, None
            case StrikeKind.LESS if cap is not None:
                return None, cap - 1
            case StrikeKind.LESS_OR_EQUAL if cap is not None:
                return None, cap
            case _:
                return None


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and float(value).is_integer() else None


class Extreme(enum.Enum):
    """Which of a day's temperatures."""

    HIGH = "high"
    LOW = "low"

    @property
    def short(self) -> str:
        """As labels have it."""
        return self.value[:2]


_LEADING = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,6})?)(?![\d])", re.ASCII)


def settled_f(expiration_value: str) -> float | None:
    """The value a market settled on: free text that begins with a number, ``None`` where it does not.

    Seen: ``84. Although the Daily Climate Report was not finalized ...``.
    """
    found = _LEADING.match(expiration_value)
    return float(found.group(1)) if found is not None else None


class IndexMean(msgspec.Struct, frozen=True):
    """What a market on an index settles on: the mean of the values of its last seconds, one a second."""

    index: str
    """By the desk's own name, ``BRTI``."""
    seconds: int
    ends_ms: int
    """World time of the last value that counts."""
    precision: float
    """Distance between two values the mean is published as, dollars."""


class Fixing(msgspec.Struct, frozen=True):
    """What a market on a price settles on: one published value at a stated time."""

    name: str
    """By the desk's own name, ``SPX``."""
    at_ms: int
    """World time."""
    precision: float
    """Distance between two values it is published as."""


def city_index(city: str) -> str:
    """What a venue's temperature index of a city is called on the desk."""
    return f"{city} index"


class CityReading(msgspec.Struct, frozen=True):
    """What an hourly temperature market settles on: a venue's own index of a city in one minute."""

    city: str
    """As the venue names it, ``sf-bay``."""
    at_ms: int
    """World time of the minute."""
    precision: float
    """Distance between two values it is published as, degrees Fahrenheit."""

    @property
    def name(self) -> str:
        """Of the index, on the desk."""
        return city_index(self.city)


class Contest(msgspec.Struct, frozen=True):
    """What a market on a game settles on: that one side wins it. Which game a person confirms."""

    sport: str
    """As bookmakers' feeds call it, ``basketball_nba``."""


class Figure(msgspec.Struct, frozen=True):
    """What a market on an economic release settles on: one published figure."""

    name: str
    """By the desk's own name, ``CPI``, ``JOBS``."""
    released: str
    """New York's date on which it comes, ``YYYY-MM-DD``."""
    scale: float = 1.0
    """A strike is the figure times this."""


class PriceBand(msgspec.Struct, frozen=True):
    """Valid prices are ``start + k * step`` within ``[start, end]``."""

    start: Price
    end: Price
    step: Price


class TickGrid(msgspec.Struct, frozen=True):
    """A market's valid prices, from its ``price_ranges``. 0 and 1 dollar are never valid.

    Where bands touch, either band's grid contains the shared boundary.
    """

    bands: tuple[PriceBand, ...]

    def valid(self, price: Price) -> bool:
        return 0 < price < ONE_DOLLAR and any(
            b.start <= price <= b.end and (price - b.start) % b.step == 0 for b in self.bands
        )

    def floor(self, price: Price) -> Price | None:
        """The highest valid price not above ``price``."""
        best = max(
            (
                candidate
                for b in self.bands
                if b.start <= price
                for candidate in (b.start + (min(price, b.end) - b.start) // b.step * b.step,)
            ),
            default=0,
        )
        if best >= ONE_DOLLAR:
            return self.floor(Price(ONE_DOLLAR - 1))
        return Price(best) if best > 0 else None

    def ceil(self, price: Price) -> Price | None:
        """The lowest valid price not below ``price``."""
        best = min(
            (
                candidate
                for b in self.bands
                if b.end >= price
                for candidate in (b.start - (b.start - max(price, b.start)) // b.step * b.step,)
                if candidate <= b.end
            ),
            default=int(ONE_DOLLAR),
        )
        if best <= 0:
            return self.ceil(Price(1))
        return Price(best) if best < ONE_DOLLAR else None

    def below(self, price: Price) -> Price | None:
        """The next valid price under ``price``."""
        return self.floor(Price(price - 1))

    def above(self, price: Price) -> Price | None:
        """The next valid price over ``price``."""
        return self.ceil(Price(price + 1))

    def ticks_between(self, low: Price, high: Price) -> int:
        """Number of valid prices above ``low`` up to ``high``; 0 when ``high`` is not above."""
        over, upto, count = max(low, 0), min(high, ONE_DOLLAR - 1), 0
        for b in self.bands:
            first, last = max(over + 1, b.start), min(upto, b.end)
            if first <= last:
                count += (last - b.start) // b.step - (first - 1 - b.start) // b.step
        # A price that ends one band and begins the next was counted twice.
        ends = {b.end for b in self.bands if (b.end - b.start) % b.step == 0}
        return count - sum(over < p <= upto for p in ends & {b.start for b in self.bands})


CENT_GRID = TickGrid((PriceBand(Price(0), ONE_DOLLAR, Price(100)),))


class FeeType(enum.Enum):
    """How a fee is computed. ``UNKNOWN`` means: refuse to estimate, refuse to trade."""

    QUADRATIC = "quadratic"
    QUADRATIC_WITH_MAKER_FEES = "quadratic_with_maker_fees"
    QUADRATIC_WITH_COMBO_MAKER_FEES = "quadratic_with_combo_maker_fees"
    TAKER_CURVE = "taker_curve"
    """Takers alone pay, by a rate of the market's own on ``(P x (1 - P)) ^ exponent``."""
    UNKNOWN = "unknown"


class FeeSchedule(msgspec.Struct, frozen=True):
    """Fee type and multiplier (in millionths: 1_000_000 is 1) after overrides; of a ``TAKER_CURVE`` the
    multiplier is the rate itself."""

    type: FeeType
    multiplier_e6: int = 1_000_000
    waived_until_ms: int | None = None
    exponent: int = 1


class FeeChange(msgspec.Struct, frozen=True):
    """Announced fees, in force from ``at_ms`` on (world time)."""

    at_ms: int
    fees: FeeSchedule


class MarketStatus(enum.Enum):
    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"
    UNKNOWN = "unknown"
    DELISTED = "delisted"
    """Our word: it is in the venue's complete list no more, and nothing was said of its end."""


class Market(msgspec.Struct, frozen=True):
    """One binary contract. Times are world time, Unix milliseconds."""

    venue: Venue
    ticker: str
    event_ticker: str
    series_ticker: str
    label: str
    """Short name built from station, date and strike: ``NYC hi Nov23 48-49``. Never the venue's title."""
    title: str
    """The venue's own words, sanitised."""
    strike: Strike
    grid: TickGrid
    fees: FeeSchedule
    open_ms: int
    close_ms: int
    status: MarketStatus = MarketStatus.ACTIVE
    result: str = ""
    expiration_value: str = ""
    settlement_timer_s: int = 0
    exclusive: bool = False
    """Whether at most one market of the event can settle YES."""
    rules: str = ""
    rules_hash: str = ""
    station: str | None = None
    """ICAO of the settlement station read from the rules text, if this is a temperature market."""
    climate_day: str | None = None
    """Target day of a temperature market, ``YYYY-MM-DD``."""
    extreme: Extreme | None = None
    """What of that day a temperature market is about."""
    source: str = ""
    """Whose record it settles on, where that is not the station's daily climate report."""
    authority: str = ""
    """Whom its rules name as its source where the climate report stands proxy for it."""
    doubt: str = ""
    """Why it is not understood what a market of a known kind settles on; empty where it is."""
    mean: IndexMean | None = None
    """The mean of an index it settles on, read from the rules text, if it is such a market."""
    fixing: Fixing | None = None
    """The published value it settles on, read from the rules text, if it is such a market."""
    reading: CityReading | None = None
    """The city's temperature it settles on, read from the rules text, if it is such a market."""
    contest: Contest | None = None
    """The game whose winner it pays, if it is such a market."""
    figure: Figure | None = None
    """The figure of a release it settles on, read from the rules text, if it is such a market."""
    unpriced: str = ""
    """What a market of a known kind settles on where no model here prices that kind, and that none does."""
    unconfirmed: str = ""
    """What of its settlement no rules text seen so far has confirmed: until the operator has, it is priced
    and not traded; empty where nothing is open."""
    shard: int = 0
    minimum: Quantity = Quantity(0)
    """The smallest order the venue takes."""
    fee_changes: tuple[FeeChange, ...] = ()
    """Announced and not yet in ``fees``, oldest first."""

    @property
    def underlying(self) -> str | None:
        """The index, price, city, sport or figure it settles on, by the desk's own name."""
        if self.mean is not None:
            return self.mean.index
        if self.fixing is not None:
            return self.fixing.name
        if self.reading is not None:
            return self.reading.name
        if self.contest is not None:
            return self.contest.sport
        return self.figure.name if self.figure is not None else None

    def fees_at(self, world_ms: int) -> FeeSchedule:
        """The fees of a trade at that moment."""
        return next((c.fees for c in reversed(self.fee_changes) if c.at_ms <= world_ms), self.fees)

    def as_of(self, world_ms: int) -> Market:
        """The market with ``fees`` as they are at that moment."""
        fees = self.fees_at(world_ms)
        return self if fees is self.fees else msgspec.structs.replace(self, fees=fees)
