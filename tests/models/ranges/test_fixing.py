"""An event on one published price: spot, variance clock, volatility, and everything it is refused for."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from core.domain.market import Fixing, Market, Strike, StrikeKind
from core.feeds.quotes import Quote
from core.feeds.releases import Calendar, Certainty, Due
from core.models.fair_value import EventFair, NoPrice
from core.models.families import families
from core.models.laws import Shape, density
from core.models.prediction import Prediction
from core.models.ranges.fixing import RELEASE_PIPS, predict
from core.models.ranges.price_inputs import PriceInputs, PriceValue, absorb, concerns
from tests.models.alone import alone
from tests.models.ranges.conftest import market, stamp


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


CLOSE = Fixing("SPX", at_ms("2026-11-23T21:00"), 0.01)
TEN = Fixing("EUR/USD", at_ms("2026-11-24T15:00"), 0.00001)
NOON, EIGHT = at_ms("2026-11-23T17:00"), at_ms("2026-11-24T13:00")
SPX, PAIR = families()["SPX"], families()["EUR/USD"]


def on(fixing: Fixing, strike: Strike, number: int = 0, *, exclusive: bool = True) -> Market:
    return market(number, strike, exclusive=exclusive, mean=None, fixing=fixing)


def ladder(fixing: Fixing, lowest: float, width: float, middle: int, last: float) -> list[Market]:
    """Brackets as listed, from ``lowest`` on; ``last`` is how far under the next one's floor a cap is."""
    strikes = [Strike(StrikeKind.LESS, cap=lowest)]
    for n in range(middle):
        low = round(lowest + n * width, 5)
        strikes.append(Strike(StrikeKind.BETWEEN, low, round(low + width - last, 5)))
    strikes.append(Strike(StrikeKind.GREATER, floor=round(lowest + middle * width - last, 5)))
    return [on(fixing, strike, n) for n, strike in enumerate(strikes)]


def index_ladder() -> list[Market]:
    return ladder(CLOSE, 7_400.0, 25.0, 8, 0.0001)


def pair_ladder() -> list[Market]:
    return ladder(TEN, 1.152, 0.002, 6, 0.00001)


def quote(name: str, price: float, when_ms: int, source: str = "yahoo", limit_s: int = 120) -> Quote:
    return Quote(name, source, price, None, None, stamp(when_ms), limit_s)


def held(values: list[PriceValue], family: str = "SPX") -> PriceInputs:
    found = PriceInputs(families()[family])
    for one in values:
        assert concerns(found.family, one)
        found = absorb(found, one)
    return found


def index_inputs(when_ms: int = NOON, spot: float = 7_512.0, vix: float = 17.4) -> PriceInputs:
    return held([quote("SPX", spot, when_ms), quote("VIX", vix, when_ms)])


def pair_inputs(when_ms: int = EIGHT, spot: float = 1.1574) -> PriceInputs:
    return held([quote("EUR/USD", spot, when_ms, "twelve-data", 30)], "EUR/USD")


def predicted(markets: list[Market], inputs: PriceInputs | None, now_ms: int) -> Prediction:
    found = predict(markets, inputs, now_ms)
    assert isinstance(found, Prediction), found
    return found


def priced(markets: list[Market], inputs: PriceInputs, now_ms: int) -> EventFair:
    return alone(predicted(markets, inputs, now_ms))[0]


def refusal(markets: list[Market], inputs: PriceInputs | None, now_ms: int) -> str:
    found = predict(markets, inputs, now_ms)
    assert isinstance(found, NoPrice), found
    return found.reason


# --- probabilities --------------------------------------------------------------------------------


@given(st.floats(6_000, 9_000), st.floats(6, 150), st.integers(1, 6 * 3600), st.integers(1, 40))
def test_brackets_of_an_event_sum_to_one(spot: float, vix: float, before_s: int, middle: int) -> None:
    now_ms = CLOSE.at_ms - before_s * 1000
    event = priced(ladder(CLOSE, 7_000.0, 25.0, middle, 0.0001), index_inputs(now_ms, spot, vix), now_ms)
    assert abs(math.fsum(v.probability for v in event.values) - 1.0) <= 1e-12
    assert all(0.0 <= v.probability <= 1.0 and math.isfinite(v.sigma) for v in event.values)


@given(st.lists(st.integers(11_000, 12_000), min_size=2, max_size=20, unique=True), st.integers(1, 90_000))
def test_digitals_fall_with_their_strike(strikes: list[int], before_s: int) -> None:
    now_ms = TEN.at_ms - before_s * 1000
    markets = [
        on(TEN, Strike(StrikeKind.GREATER, floor=k / 10_000), n, exclusive=False)
        for n, k in enumerate(sorted(strikes))
    ]
    event = priced(markets, pair_inputs(now_ms), now_ms)
    chances = {v.ticker: v.probability for v in event.values}
    falling = [chances[m.ticker] for m in markets]
    assert falling == sorted(falling, reverse=True)


def test_a_bracket_is_the_integral_of_its_density() -> None:
    """Four hours to the close carry .65 (.087 + .099 + .133 + .255) of a day, the VIX .78 of what it says."""
    spread = 0.78 * 0.174 / math.sqrt(252) * math.sqrt(0.65 * 0.574)

    def log_density(x: float) -> float:
        scale = spread / Shape.T6.deviation
        return float(density(Shape.T6, (x + spread**2 / 2) / scale)) / scale

    low, high = math.log(7_499.995 / 7_512.0), math.log(7_524.995 / 7_512.0)
    expected = quad(log_density, low, high, epsabs=1e-13)[0]
    found = {m.strike.floor: v.probability for m, v in _matched(index_ladder(), index_inputs(), NOON)}
    assert found[7_500.0] == pytest.approx(expected, abs=1e-10)
    assert 0.2 < expected < 0.5


def _matched(markets: list[Market], inputs: PriceInputs, now_ms: int):  # type: ignore[no-untyped-def]
    values = {v.ticker: v for v in priced(markets, inputs, now_ms).values}
    return [(m, values[m.ticker]) for m in markets]


def test_half_open_brackets_share_no_published_value() -> None:
    """1.17799 is the last value of ``1.176 to 1.17799``, and a threshold above it begins at 1.178."""
    up = on(TEN, Strike(StrikeKind.GREATER, floor=1.15999), exclusive=False)
    reached = on(TEN, Strike(StrikeKind.GREATER_OR_EQUAL, floor=1.16), exclusive=False)
    down = on(TEN, Strike(StrikeKind.LESS, cap=1.16), exclusive=False)
    one, two, three = (priced([m], pair_inputs(), EIGHT).values[0].probability for m in (up, reached, down))
    assert one == pytest.approx(two, abs=1e-12)
    assert one + three == pytest.approx(1.0, abs=1e-12)


def test_less_is_left_as_the_close_comes_near() -> None:
    spreads = [
        predicted(index_ladder(), index_inputs(when), when).spread
        for when in (at_ms("2026-11-23T15:00"), NOON, at_ms("2026-11-23T20:30"), CLOSE.at_ms - 1_000)
    ]
    assert spreads == sorted(spreads, reverse=True) and spreads[-1] < 0.1 * spreads[0]


def test_a_pairs_hours_are_new_yorks() -> None:
    """The two hours before ten, with the opening of London's afternoon and the releases, hold more than two
    hours of its evening; a day of each half year alike."""

    def spread(fixing_at: str, now: str) -> float:
        fixing = msgspec.structs.replace(TEN, at_ms=at_ms(fixing_at))
        now_ms = at_ms(now)
        return predicted(ladder(fixing, 1.152, 0.002, 6, 0.00001), pair_inputs(now_ms), now_ms).spread

    winter, summer = (
        spread("2026-01-20T15:00", "2026-01-20T13:00"),
        spread("2026-07-21T14:00", "2026-07-21T12:00"),
    )
    assert winter == pytest.approx(summer, rel=1e-9)
    assert spread("2026-01-21T01:00", "2026-01-20T23:00") < 0.6 * winter


def test_a_release_before_the_value_widens_it_and_the_operators_calendar_is_right() -> None:
    def calendar(source: str, when: str, *, outranks: bool = False) -> Calendar:
        due = Due("JOBS", at_ms(when), Certainty.STATED, source)
        return Calendar(source, ("JOBS",), (due,), stamp(EIGHT), 86_400, outranks)

    now_ms = EIGHT
    calm = pair_inputs()
    jobs = absorb(calm, calendar("bls", "2026-11-24T13:30"))
    elsewhere = absorb(jobs, calendar("operator", "2026-11-25T13:30", outranks=True))
    before, wide, again = (
        predicted(pair_ladder(), inputs, now_ms).spread for inputs in (calm, jobs, elsewhere)
    )
    assert wide > 1.2 * before and again == before


def test_the_settled_price_is_another_providers() -> None:
    """A second before ten what is left is the other provider's three pips."""
    now_ms = TEN.at_ms - 1
    found = predicted(pair_ladder(), pair_inputs(now_ms), now_ms)
    assert found.spread == pytest.approx(RELEASE_PIPS * 0.0001, rel=0.01)


# --- volatility -----------------------------------------------------------------------------------


def walked(
    family: str, name: str, step: float, count: int, begins_ms: int, source: str = "yahoo"
) -> PriceInputs:
    """Up and down by ``step`` each minute."""
    spot = {"SPX": 7_512.0, "NDX": 27_640.0, "EUR/USD": 1.1574}[name]
    quotes: list[PriceValue] = [
        quote(name, spot * math.exp(step * (n % 2)), begins_ms + n * 60_000, source) for n in range(count)
    ]
    return held(quotes, family)


def test_a_pairs_own_returns_take_over_from_the_usual() -> None:
    begins = at_ms("2026-11-24T09:00")
    few, many = walked("EUR/USD", "EUR/USD", 2e-5, 2, begins), walked("EUR/USD", "EUR/USD", 2e-5, 200, begins)
    usual = predicted(pair_ladder(), few, begins + 60_000)
    own = predicted(pair_ladder(), many, begins + 199 * 60_000)
    assert "volatility 8." in usual.evidence[2] and "1 returns beside the usual" in usual.evidence[2]
    # A minute at four in the morning holds 62 thousandths of a day an hour, at six 41.
    assert own.evidence[2].startswith("volatility 1.") or own.evidence[2].startswith("volatility 2.")
    errors = [one.says.parts[0].scale_error for one in (usual, own)]  # type: ignore[union-attr]
    assert errors[0] > 0.3 > 0.2 > errors[1]


def test_a_quiet_hour_after_the_weekend_is_no_measure_of_a_pair() -> None:
    sunday = at_ms("2026-11-22T22:00")
    held = PriceInputs(PAIR)

    def hear(held: PriceInputs, minutes: range) -> PriceInputs:
        """A pair that moves by its average night."""
        for n in minutes:
            held = absorb(held, quote("EUR/USD", 1.1574 * (1 + 3e-5 * (n % 2)), sunday + n * 60_000))
        return held

    opened = hear(held, range(60))
    assert opened.realised.returns == 0, "the clock has the weekend's gap in that hour"
    later = hear(opened, range(60, 121))
    assert later.realised.returns == pytest.approx(61, abs=3)
    assert later.realised.last_ms == sunday + 120 * 60_000


def test_an_index_without_an_implied_one_waits_for_its_returns() -> None:
    begins = at_ms("2026-11-23T15:00")
    fixing = Fixing("NDX", CLOSE.at_ms, 0.01)
    rungs = ladder(fixing, 27_000.0, 100.0, 12, 0.0001)
    few = walked("NDX", "NDX", 1e-4, 10, begins)
    assert refusal(rungs, few, begins + 9 * 60_000) == "no volatility: 9 returns of NDX seen"
    many = walked("NDX", "NDX", 5e-4, 60, begins)
    assert "from its returns" in predicted(rungs, many, begins + 59 * 60_000).evidence[2]


def test_returns_are_of_one_source_and_of_no_pause() -> None:
    """Two sources a pip apart, told in turn, make no volatility; nor does the night."""
    begins, spot = at_ms("2026-11-24T13:00"), 1.1574
    turns: list[PriceValue] = []
    for n in range(60):
        source, price = ("twelve-data", spot) if n % 2 else ("yahoo", spot * 1.0002)
        turns.append(quote("EUR/USD", price, begins + n * 30_000, source))
    both = held(turns, "EUR/USD")
    assert both.realised.squares == 0.0 and both.realised.returns > 20
    assert both.sampled_of == "yahoo"
    night = held([quote("SPX", 7_500.0, NOON), quote("SPX", 7_600.0, NOON + 80_000_000)])
    assert night.realised.returns == 0 and night.realised.last == 7_600.0 and night.doubted is None


@pytest.mark.parametrize(("name", "begins", "spot"), [("SPX", NOON, 7_512.0), ("EUR/USD", EIGHT, 1.1574)])
def test_a_price_that_its_source_repeats_for_half_an_hour_is_none_until_it_moves(
    name: str, begins: int, spot: float
) -> None:
    """Each telling is of another minute, and what options imply is fresh."""
    rungs = index_ladder() if name == "SPX" else pair_ladder()

    def told(minutes: int, last: float) -> PriceInputs:
        prices = [quote(name, spot * 1.004, begins - 60_000)]
        prices += [quote(name, spot, begins + n * 60_000) for n in range(minutes)]
        prices.append(quote(name, last, begins + minutes * 60_000))
        return held([*prices, *[quote("VIX", 17.0, prices[-1].stamp.event_ms)][: name == "SPX"]], name)

    predicted(rungs, told(29, spot), begins + 29 * 60_000)
    still = f"{name} came as {spot:.6g} for 30 samples: it stands still"
    assert refusal(rungs, told(30, spot), begins + 30 * 60_000) == still
    predicted(rungs, told(30, spot * 1.0001), begins + 30 * 60_000)


def test_a_jump_is_not_believed_until_it_has_stood() -> None:
    jumped = absorb(index_inputs(), quote("SPX", 8_000.0, NOON + 60_000))
    assert refusal(index_ladder(), jumped, NOON + 60_000) == "SPX jumped from 7512 to 8000: not believed yet"
    back = absorb(jumped, quote("SPX", 7_513.0, NOON + 120_000))
    assert isinstance(predict(index_ladder(), back, NOON + 120_000), Prediction)
    stood = jumped
    for n in range(2, 4):
        stood = absorb(stood, quote("SPX", 8_001.0, NOON + n * 60_000))
    assert stood.doubted is None and stood.realised.squares == 0.0
    assert (
        predicted(index_ladder(), absorb(stood, quote("VIX", 20.0, NOON + 180_000)), NOON + 180_000).mean
        == 8_001.0
    )


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markets", "inputs", "now_ms", "reason"),
    [
        (index_ladder(), None, NOON, "settles on SPX, a price without a model"),
        (index_ladder(), held([]), NOON, "no value of SPX yet"),
        (index_ladder(), index_inputs(), NOON + 121_000, "SPX (yahoo) is 121 s old, limit 120 s"),
        (
            index_ladder(), held([quote("SPX", 7_512.0, NOON)]), NOON,
            "no volatility: no VIX yet, 0 returns of SPX seen",
        ),
        (
            index_ladder(), held([quote("VIX", 17.0, NOON - 121_000), quote("SPX", 7_512.0, NOON)]), NOON,
            "no volatility: VIX is 121 s old, limit 120 s; 0 returns of SPX seen",
        ),
        (index_ladder(), index_inputs(vix=300.0), NOON, "a volatility of 234% from VIX is outside"),
        (index_ladder(), index_inputs(CLOSE.at_ms), CLOSE.at_ms, "the time of its value of SPX is past"),
        (
            index_ladder(), held([quote("SPX", 7_512.0, NOON, "a"), quote("SPX", 7_590.0, NOON, "b")]), NOON,
            "SPX: b says 7590, but a 7512: no price",
        ),
        (
            index_ladder(), index_inputs(at_ms("2026-11-23T14:29")), at_ms("2026-11-23T14:29"),
            "New York's exchanges are closed, SPX has no price now; it opens in 0 h 01 min",
        ),
        (index_ladder()[1:], index_inputs(), NOON, "brackets do not reach both tails"),
        (pair_ladder(), pair_inputs(), EIGHT + 31_000, "EUR/USD: twelve-data 31 s old, 30 s allowed"),
        (pair_ladder(), held([], "EUR/USD"), EIGHT, "no value of EUR/USD yet"),
    ],
)  # fmt: skip
def test_what_is_missing_or_stale_is_named(
    markets: list[Market], inputs: PriceInputs | None, now_ms: int, reason: str
) -> None:
    assert refusal(markets, inputs, now_ms).startswith(reason)


@pytest.mark.parametrize(
    ("fixing_at", "reason"),
    [
        ("2026-11-26T21:00", "New York's exchanges do not trade on Nov 26 16:00 New York time"),
        ("2026-11-27T21:00", "New York's exchanges do not trade on Nov 27 16:00 New York time"),
        ("2026-11-28T21:00", "New York's exchanges do not trade on Nov 28 16:00 New York time"),
        ("2029-01-03T21:00", "sessions are known from 2026-01-01 to 2028-12-31, not for 2029-01-03"),
    ],
)
def test_a_day_without_the_session_has_no_price(fixing_at: str, reason: str) -> None:
    fixing = msgspec.structs.replace(CLOSE, at_ms=at_ms(fixing_at))
    assert refusal(ladder(fixing, 7_400.0, 25.0, 8, 0.0001), index_inputs(), NOON) == reason


def test_a_half_day_has_its_own_close() -> None:
    fixing = msgspec.structs.replace(CLOSE, at_ms=at_ms("2026-11-27T18:00"))
    now_ms = at_ms("2026-11-27T17:00")
    found = predicted(ladder(fixing, 7_400.0, 25.0, 8, 0.0001), index_inputs(now_ms), now_ms)
    assert "0.057 days of variance left" in found.evidence


def test_a_weekend_is_no_time_for_a_pair() -> None:
    fixing = msgspec.structs.replace(TEN, at_ms=at_ms("2026-11-28T15:00"))
    rungs = ladder(fixing, 1.152, 0.002, 6, 0.00001)
    assert refusal(rungs, pair_inputs(), EIGHT) == "foreign exchange is closed on Nov 28 10:00 New York time"


def test_markets_of_other_values_and_doubts_are_refused() -> None:
    mixed = index_ladder()
    mixed[3] = msgspec.structs.replace(mixed[3], fixing=msgspec.structs.replace(CLOSE, precision=1.0))
    assert "settles on another value than its event's other markets" in refusal(mixed, index_inputs(), NOON)
    doubted = [msgspec.structs.replace(m, doubt="rules name NDX", fixing=None) for m in index_ladder()]
    assert refusal(doubted, index_inputs(), NOON) == "rules name NDX"


def test_what_is_no_price_or_old_is_left_out() -> None:
    before = index_inputs()
    for bad in (
        quote("SPX", math.nan, NOON + 1),
        quote("SPX", 0.0, NOON + 1),
        quote("SPX", 7_000.0, NOON - 1),
    ):
        assert absorb(before, bad) == before
    assert absorb(before, quote("VIX", 30.0, NOON - 1)) == before
    assert not concerns(SPX, quote("NDX", 1.0, NOON)) and not concerns(PAIR, quote("USD/JPY", 1.0, NOON))
