"""An event on the mean of an index: any strikes, what is refused, and why."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.market import IndexMean, Strike, StrikeKind
from core.models.fair_value import EventFair, NoPrice
from core.models.prediction import Prediction
from core.models.ranges.inputs import IndexInputs, absorb, concerns
from core.models.ranges.price import predict
from core.models.ranges.volatility import Realised, percent_a_year, sampled
from core.models.rungs import rungs
from tests.models.alone import alone
from tests.models.ranges.conftest import (
    BRTI,
    ENDS_MS,
    SPOT,
    dvol,
    inputs,
    ladder,
    market,
    quote,
    settling,
)

NOW = ENDS_MS - 480_000


def priced(markets: list, held: IndexInputs | None, now_ms: int = NOW) -> EventFair:
    found = predict(markets, held, now_ms)
    assert not isinstance(found, NoPrice), found
    return alone(found)[0]


def refusal(markets: list, held: IndexInputs | None, now_ms: int = NOW) -> str:
    found = predict(markets, held, now_ms)
    assert isinstance(found, NoPrice)
    return found.reason


@given(
    st.floats(60_000, 120_000), st.floats(60_000, 120_000), st.floats(2, 400), st.integers(61, 90_000),
    st.integers(1, 40),
)  # fmt: skip
def test_brackets_of_an_event_sum_to_one(
    spot: float, lowest: float, percent: float, before_s: int, middle: int
) -> None:
    at_ms = ENDS_MS - before_s * 1000
    event = priced(ladder(round(lowest), 100.0, middle), inputs(at_ms, spot, percent), at_ms)
    assert abs(math.fsum(v.probability for v in event.values) - 1.0) <= 1e-12
    assert all(0.0 <= v.probability <= 1.0 and 0.0 <= v.sigma < 1.0 for v in event.values)


@given(st.lists(st.integers(89_000, 93_000), min_size=1, max_size=20, unique=True), st.integers(61, 4_000))
def test_thresholds_fall_with_their_strike_and_need_not_sum(strikes: list[int], before_s: int) -> None:
    at_ms = ENDS_MS - before_s * 1000
    markets = [
        market(n, Strike(StrikeKind.GREATER, floor=float(k)), exclusive=False)
        for n, k in enumerate(sorted(strikes))
    ]
    event = priced(markets, inputs(at_ms), at_ms)
    chances = {v.ticker: v.probability for v in event.values}
    falling = [chances[m.ticker] for m in markets]
    assert falling == sorted(falling, reverse=True)


def test_every_kind_of_strike_says_the_same() -> None:
    def one(kind: StrikeKind, floor: float | None = None, cap: float | None = None) -> float:
        [value] = priced([market(0, Strike(kind, floor, cap))], inputs(NOW)).values
        return value.probability

    up = one(StrikeKind.GREATER_OR_EQUAL, floor=91_300.0)
    assert 0.05 < up < 0.5
    assert one(StrikeKind.GREATER, floor=91_299.99) == pytest.approx(up, abs=1e-12)
    assert one(StrikeKind.LESS, cap=91_300.0) == pytest.approx(1 - up, abs=1e-12)
    assert one(StrikeKind.LESS_OR_EQUAL, cap=91_299.99) == pytest.approx(1 - up, abs=1e-12)
    assert one(StrikeKind.BETWEEN, 91_300.0, 10**7) == pytest.approx(up, abs=1e-6)


@given(st.integers(1, 20_000_000))
def test_a_strike_of_whole_cents_is_that_value_and_none_beside_it(cents: int) -> None:
    for kind, lowest in ((StrikeKind.GREATER_OR_EQUAL, cents), (StrikeKind.GREATER, cents + 1)):
        found = rungs([market(0, Strike(kind, floor=cents / 100))], 0.01)
        assert not isinstance(found, str) and [rung.low for rung in found] == [lowest]


def test_a_value_carries_what_it_rests_on() -> None:
    event = priced(ladder(), inputs(NOW))
    value = event.values[2]
    assert value.model == "range-average" and value.version.startswith("range-average-1.")
    assert [(i.name, i.event_ms, i.stale_after_s) for i in value.inputs] == [
        ("BRTI (kalshi-indices)", NOW, 3), ("DVOL BTC (deribit)", NOW, 10),
    ]  # fmt: skip
    # 45 % a year over 480 s less two thirds of the minute.
    assert event.spread == pytest.approx(SPOT * 0.45 * math.sqrt(440 / (365 * 86_400)), rel=0.01)
    assert "volatility 45.0% (DVOL BTC)" in " ".join(value.evidence)
    assert "(t, 4 degrees)" in value.evidence[-1]
    # What a quarter more or less of the volatility makes of it.
    more, less = (priced(ladder(), inputs(NOW, percent=45.0 * (1 + d))).values[2] for d in (1e-4, -1e-4))
    assert value.sigma == pytest.approx(abs(more.probability - less.probability) / 2e-4 * 0.25, rel=1e-3)


def test_inside_the_window_what_is_averaged_counts() -> None:
    at_ms = ENDS_MS - 19_000
    held = absorb(inputs(at_ms), settling(91_310.0, 41, at_ms))
    [above] = priced([market(0, Strike(StrikeKind.GREATER, floor=91_270.0))], held, at_ms).values
    assert above.mean == pytest.approx((41 * 91_310 + 19 * SPOT) / 60)
    assert above.probability > 0.99, "the spot is under the strike, the mean is not any more"
    assert above.spread == pytest.approx(0.83 * SPOT * 0.45 / math.sqrt(365 * 86_400), rel=0.01)


def test_a_closing_window_without_its_mean_has_no_price() -> None:
    at_ms = ENDS_MS - 19_000
    held, markets = inputs(at_ms), ladder()
    assert "their mean is not told" in refusal(markets, held, at_ms)
    assert "their mean is not told" in refusal(
        markets, absorb(held, settling(SPOT, 41, at_ms, ENDS_MS + 900_001)), at_ms
    )
    assert "their mean is not told" in refusal(markets, absorb(held, settling(SPOT, 38, at_ms - 3000)), at_ms)
    for seconds in (30, 38, 43):
        told = absorb(held, settling(SPOT, seconds, at_ms))
        assert f"holds {seconds} of 41 values" in refusal(markets, told, at_ms)
    assert priced(markets, absorb(held, settling(SPOT, 39, at_ms)), at_ms)
    quarter = msgspec.structs.replace(settling(SPOT, 41, at_ms), of=900)
    assert "their mean is not told" in refusal(markets, absorb(held, quarter), at_ms)
    assert "complete" in refusal(markets, held, ENDS_MS)


def test_between_the_seconds_the_newest_value_goes_with_the_mean_of_the_last_second() -> None:
    second_ms, strike = ENDS_MS - 19_000, Strike(StrikeKind.GREATER, floor=91_270.0)
    told = settling(91_310.0, 41, second_ms)
    [before] = priced([market(0, strike)], absorb(inputs(second_ms), told), second_ms).values
    for later_ms in (200, 800, 1_000, 1_400):
        at_ms = second_ms + later_ms
        [now] = priced([market(0, strike)], absorb(inputs(at_ms, SPOT - 500), told), at_ms).values
        assert now.mean == pytest.approx((41 * 91_310 + 19 * (SPOT - 500)) / 60)
        assert now.spread is not None and before.spread is not None and now.spread < before.spread


def test_the_first_second_of_a_closing_window_waits_for_no_mean() -> None:
    at_ms = ENDS_MS - 60_000 + 1_200
    before = settling(SPOT, 60, ENDS_MS - 900_000, ENDS_MS - 900_000)
    [one] = priced(
        [market(0, Strike(StrikeKind.GREATER, floor=SPOT))], absorb(inputs(at_ms), before), at_ms
    ).values
    assert one.mean == pytest.approx(SPOT)


def test_stale_values_are_named_with_their_age() -> None:
    held = inputs(NOW)
    assert refusal(ladder(), held, NOW + 3_999) == "BRTI (kalshi-indices) is 4 s old, limit 3 s"
    fresh = absorb(held, quote(SPOT, NOW + 11_000))
    assert "DVOL BTC is 11 s old, limit 10 s; 0 returns of BRTI seen" in refusal(
        ladder(), fresh, NOW + 11_000
    )


def test_what_is_missing_is_named() -> None:
    assert "without a model" in refusal(ladder(), None)
    assert "no value of BRTI from kalshi-indices yet" in refusal(ladder(), IndexInputs(BRTI))
    assert "no DVOL BTC yet" in refusal(ladder(), absorb(IndexInputs(BRTI), quote(SPOT, NOW)))
    assert "no mean of an index" in refusal(
        [market(0, Strike(StrikeKind.GREATER, 1.0), mean=None)], inputs(NOW)
    )
    doubtful = [market(0, Strike(StrikeKind.GREATER, 1.0), doubt="rules name another index")]
    assert refusal(doubtful, inputs(NOW)) == "rules name another index"


def test_strikes_that_do_not_fit_together_are_refused() -> None:
    whole = ladder()
    assert "not contiguous" in refusal([*whole[:3], *whole[4:]], inputs(NOW))
    assert "both tails" in refusal(whole[1:], inputs(NOW))
    assert "both tails" in refusal(whole[:-1], inputs(NOW))
    wide = msgspec.structs.replace(whole[2], strike=Strike(StrikeKind.BETWEEN, 91_050.0, 91_199.99))
    assert "not contiguous" in refusal([*whole[:2], wide, *whole[3:]], inputs(NOW))
    other = msgspec.structs.replace(whole[2], mean=IndexMean("BRTI", 60, ENDS_MS + 900_000, 0.01))
    assert "another mean" in refusal([*whole[:2], other, *whole[3:]], inputs(NOW))
    for bad in (Strike(StrikeKind.OTHER), Strike(StrikeKind.GREATER), Strike(StrikeKind.GREATER, math.nan)):
        assert refusal([market(0, bad)], inputs(NOW))


@example(5e-324, 0.0)
@given(st.one_of(st.floats(), st.sampled_from([0.0, -1.0, math.nan, math.inf])), st.floats())
def test_absurd_inputs_never_become_a_silent_number(value: float, percent: float) -> None:
    held = absorb(absorb(absorb(inputs(NOW), quote(value, NOW)), dvol(percent, NOW)), settling(value, 3, NOW))
    found = predict(ladder(), held, NOW)
    if isinstance(found, Prediction):
        assert abs(math.fsum(v.probability for v in alone(found)[0].values) - 1.0) <= 1e-12
        assert abs(math.log(found.mean / SPOT)) <= 0.1
        assert 2 <= percent <= 400 or not (math.isfinite(percent) and percent > 0)


def test_an_index_that_is_told_the_same_for_half_an_hour_has_no_price() -> None:
    still = absorb(IndexInputs(BRTI), quote(SPOT * 1.004, NOW - 31 * 60_000))
    for n in range(31):
        still = absorb(still, quote(SPOT, NOW - (30 - n) * 60_000))
    still = absorb(still, dvol(45.0, NOW))
    assert refusal(ladder(), still) == "BRTI came as 91250 for 30 samples: it stands still"
    moved = absorb(absorb(still, quote(SPOT * 1.004, NOW + 60_000)), dvol(45.0, NOW + 60_000))
    priced(ladder(), moved, NOW + 60_000)


def test_a_jump_is_believed_once_it_stands() -> None:
    held = absorb(inputs(NOW - 130_000), quote(70_000.0, NOW - 129_000))
    held = absorb(held, quote(70_010.0, NOW - 100_000))
    held = absorb(held, dvol(45.0, NOW))
    jumped = absorb(held, quote(70_020.0, NOW - 10_000))
    assert "jumped from 91250.00 to 70020.00" in refusal(ladder(), jumped, NOW - 10_000)
    back = absorb(jumped, quote(91_240.0, NOW))
    assert priced(ladder(), back).mean == 91_240.0
    stands = absorb(jumped, quote(70_030.0, NOW))
    assert priced(ladder(), stands).mean == 70_030.0
    assert stands.realised.returns == 0, "the jump is no return of a quiet walk"


def test_a_level_has_to_stand_itself_before_it_is_believed() -> None:
    held = absorb(inputs(NOW - 150_000), quote(70_000.0, NOW - 140_000))
    held = absorb(held, quote(50_000.0, NOW - 15_000))
    held = absorb(absorb(held, quote(50_010.0, NOW)), dvol(45.0, NOW))
    assert "jumped from 91250.00 to 50010.00" in refusal(ladder(), held)


def test_only_the_indexs_own_source_counts_and_nothing_older_than_what_is_held() -> None:
    held = inputs(NOW)
    late = quote(SPOT - 500, NOW - 1)
    elsewhere = quote(SPOT - 500, NOW, source="chainlink")
    mean = msgspec.structs.replace(settling(SPOT, 41, NOW), source="chainlink")
    assert absorb(held, late).index == held.index
    assert concerns(BRTI, late) and concerns(BRTI, settling(SPOT, 41, NOW))
    assert not concerns(BRTI, elsewhere) and not concerns(BRTI, mean)


def test_an_index_far_from_the_exchanges_is_not_believed() -> None:
    def books(at: float) -> IndexInputs:
        held = absorb(inputs(NOW), quote(at, NOW, "BTC/USD", "coinbase"))
        return absorb(held, quote(at + 1, NOW, "BTC/USD", "kraken"))

    assert "bp from it" in " ".join(priced(ladder(), books(SPOT * 1.002)).values[0].evidence)
    assert "apart" in refusal(ladder(), books(SPOT * 1.02))


def test_returns_stand_in_for_a_missing_implied_volatility() -> None:
    """A walk of a known volatility, seen for an hour, prices alone; a DVOL far from it is refused."""
    held, at_ms, per_minute = IndexInputs(BRTI), NOW - 3_600_000, 0.60 / math.sqrt(365 * 1440)
    value = SPOT
    for n in range(61):
        held = absorb(held, quote(value, at_ms + n * 60_000))
        value = SPOT * math.exp(per_minute * (1 if n % 2 == 0 else 0))
    own = held.realised.variance_per_s
    assert own is not None and percent_a_year(own, 365) == pytest.approx(60.0, rel=1e-6)
    assert held.realised.returns == pytest.approx(60, abs=0.1)
    alone = priced(ladder(), held).values[2]
    assert "60.0% from its returns" in " ".join(alone.evidence)
    # Of what sixty returns say and of what past ones say of the next.
    error = math.hypot(0.15, 1 / math.sqrt(120))
    implied = priced(ladder(), absorb(held, dvol(60.0, NOW))).values[2]
    assert alone.sigma == pytest.approx(implied.sigma * error / 0.25, rel=1e-3)
    for percent in (300.0, 10.0):
        assert f"DVOL BTC gives a volatility of {percent:.0f}%, BRTI's returns 60%" in refusal(
            ladder(), absorb(held, dvol(percent, NOW))
        )


@given(st.lists(st.tuples(st.integers(1, 900_000), st.floats(-0.05, 0.05)), max_size=60))
def test_realised_variance_is_the_weighted_one(steps: list[tuple[int, float]]) -> None:
    """Against plain sums over the returns that count."""
    held, at_ms, value = sampled(Realised(), 100.0, 1_000), 1_000, 100.0
    last_ms, last, kept = 1_000, 100.0, []
    for pause, move in steps:
        at_ms, value = at_ms + pause, value * math.exp(move)
        held = sampled(held, value, at_ms)
        if at_ms - last_ms >= 60_000:
            if at_ms - last_ms <= 600_000:
                kept.append((at_ms, math.log(value / last), (at_ms - last_ms) / 1000))
            last_ms, last = at_ms, value
    if len(kept) >= 40:
        weight = [0.5 ** ((kept[-1][0] - at) / 43_200_000) for at, _, _ in kept]
        squares = math.fsum(w * r * r for w, (_, r, _) in zip(weight, kept, strict=True))
        seconds = math.fsum(w * s for w, (_, _, s) in zip(weight, kept, strict=True))
        assert held.squares == pytest.approx(squares, rel=0.2)
        assert held.variance_per_s == pytest.approx(squares / seconds, rel=0.2)
    assert held.returns <= len(kept) + 1e-9
