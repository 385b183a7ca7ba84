"""The pool of model and market against its definition, outcome by outcome."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import Price
from core.models import pooling
from core.models.calibration import Evidence, Standing, Verdict, standing
from core.models.fair_value import EventFair, InputAge
from core.models.pooling import Groups, Lead, Quoted, Weights, unreadable, usual
from core.models.prediction import Chances, Prediction
from core.models.valuing import Judged, follow, value

chance = st.floats(0.0, 1.0)


@st.composite
def events(draw: st.DrawFn) -> tuple[bool, list[float], list[float], float, float]:
    """Whether one outcome pays, model, mids, and the pool's weights."""
    exclusive, size = draw(st.booleans()), draw(st.integers(2, 8))
    model = draw(st.lists(st.floats(0.001, 1.0), min_size=size, max_size=size))
    if exclusive:
        dead = draw(st.integers(0, size - 1))
        model = [0.0 if n < dead else p for n, p in enumerate(model)]
        model = [p / math.fsum(model) for p in model]
    mids = draw(st.lists(chance, min_size=size, max_size=size))
    return exclusive, model, mids, draw(st.sampled_from([0.0, 0.15, 0.4, 1.0])), draw(st.floats(1.0, 1.15))


def groups_of(every: list[tuple[bool, list[float], list[float], float, float]]) -> Groups:
    lengths: list[int] = []
    alone: list[int] = []
    at = 0
    for exclusive, model, *_ in every:
        lengths += [len(model)] if exclusive else [1] * len(model)
        alone += [] if exclusive else range(at, at + len(model))
        at += len(model)
    starts = np.cumsum([0, *lengths[:-1]])
    return Groups(starts, np.repeat(np.arange(len(lengths)), lengths), np.array(alone, dtype=np.int64))


@given(st.lists(events(), min_size=1, max_size=5))
def test_a_pool_is_the_normalised_product_of_powers(
    every: list[tuple[bool, list[float], list[float], float, float]],
) -> None:
    model = np.array([p for one in every for p in one[1]])
    mids = pooling.inside(np.array([q for one in every for q in one[2]]))
    sizes = [len(one[1]) for one in every]
    weight = np.repeat([one[3] for one in every], sizes)
    sharpen = np.repeat([one[4] for one in every], sizes)
    found = pooling.pooled(model, mids, weight, sharpen, groups_of(every))
    market = pooling.normalised(mids, groups_of(every))
    at = 0
    for exclusive, chances, raw, w, s in every:
        held = [min(0.995, max(0.005, q)) for q in raw]
        share = [q / math.fsum(held) for q in held] if exclusive else held
        powers = [p**w * q ** (s * (1 - w)) for p, q in zip(chances, share, strict=True)]
        others = [(1 - p) ** w * (1 - q) ** (s * (1 - w)) for p, q in zip(chances, share, strict=True)]
        for n, power in enumerate(powers):
            total = math.fsum(powers) if exclusive else power + others[n]
            assert found[at + n] == pytest.approx(power / total, abs=1e-12)
            assert market[at + n] == pytest.approx(share[n], abs=1e-12)
        if exclusive:
            assert math.fsum(found[at : at + len(chances)]) == pytest.approx(1.0, abs=1e-12)
        at += len(chances)


@given(
    st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.0, 1.0), st.floats(1.0, 1.15),
    st.floats(0.0, 0.05), st.floats(0.0, 0.05),
)  # fmt: skip
def test_the_error_of_a_pool_is_its_derivative_by_both_parts(
    model: float, market: float, weight: float, sharpen: float, one: float, two: float
) -> None:
    alone = Groups(np.array([0]), np.array([0]), np.array([0]))

    def pool(p: float, q: float) -> float:
        arrays = (np.array([x]) for x in (p, q, weight, sharpen))
        return float(pooling.pooled(*arrays, alone)[0])

    step = 1e-6
    by_model = (pool(model + step, market) - pool(model - step, market)) / (2 * step)
    by_market = (pool(model, market + step) - pool(model, market - step)) / (2 * step)
    found = pooling.errors(
        np.array([pool(model, market)]),
        (np.array([model]), np.array([one])),
        (np.array([market]), np.array([two])),
        np.array([weight]),
        np.array([sharpen]),
    )
    assert found[0] == pytest.approx(math.hypot(by_model * one, by_market * two), abs=1e-7)


def test_the_error_of_what_is_next_to_impossible_stays_one() -> None:
    tiny, one = np.array([0.0, 1e-290, 1e-9, 1.0]), np.ones(4)
    groups = Groups(np.array([0]), np.zeros(4, dtype=np.int64), np.array([], dtype=np.int64))
    mids = np.full(4, 0.25)
    together = pooling.pooled(tiny, mids, 0.4 * one, one, groups)
    errors = pooling.errors(together, (tiny, 1e-7 * one), (mids, 0.01 * one), 0.4 * one, one)
    assert np.all((errors >= 0.0) & (errors <= 2.0 * together + 1e-6))


@pytest.mark.parametrize(
    ("bid", "ask", "why"),
    [
        (31, 34, ""),
        (None, 1, ""),
        (99, None, ""),
        (30, 40, ""),
        (30, 41, "its spread is 11c, more than 10c"),
        (None, 30, "nobody bids there"),
        (60, None, "nobody offers there"),
        (None, None, "nobody quotes there"),
        (40, 40, "its book is crossed"),
    ],
)
def test_a_book_counts_where_it_says_enough(bid: int | None, ask: int | None, why: str) -> None:
    prices = (None if cents is None else Price(cents * 100) for cents in (bid, ask))
    assert unreadable(Quoted(*prices)) == why


def test_a_model_of_one_source_counts_nothing_and_one_of_several_most_the_evening_before() -> None:
    assert [usual(1, lead).model for lead in Lead] == [0.0] * 4
    assert [usual(3, lead) for lead in Lead] == [
        Weights(0.35, 1.0), Weights(0.15, 1.05), Weights(0.10, 1.15), Weights(0.0, 1.0),
    ]  # fmt: skip


# --- following the book -----------------------------------------------------------------------------

BOOKS = {"A": Quoted(Price(2_000), Price(2_400)), "B": Quoted(Price(5_800), Price(6_200))}
PROVEN = Standing(Verdict.PROVEN, 0.5, "proven")


def predicted(exclusive: bool = True) -> Prediction:
    return Prediction(
        "E", ("A", "B"), exclusive, Chances((0.4, 0.6), (0.03, 0.03)), "m", "1", 7.0, 2.0,
        (InputAge("a", 1, 60),), 9_000,
    )  # fmt: skip


def valued(standing: Standing = PROVEN, exclusive: bool = True, **books: Quoted | str) -> EventFair:
    (made,) = value([Judged(predicted(exclusive), standing, 1.0)], (BOOKS | books).__getitem__)
    return made


def test_a_fair_value_lies_between_model_and_market_and_names_both() -> None:
    first, second = valued().values
    assert first.market_probability == pytest.approx(22 / 82)
    assert (first.model_probability, first.model_sigma, first.weight) == (0.4, 0.03, 0.5)
    assert first.market_probability < first.probability < 0.4
    assert first.probability + second.probability == pytest.approx(1.0, abs=1e-12)
    assert (first.unpooled, first.doubt) == ("", "")


def test_the_pool_follows_a_book_and_the_model_stays() -> None:
    before = valued()
    (same,) = follow([before], BOOKS.__getitem__)
    assert same is before
    (after,) = follow([before], (BOOKS | {"A": Quoted(Price(3_000), Price(3_400))}).__getitem__)
    assert after.values[0].probability > before.values[0].probability + 0.02
    assert after.values[1].probability < before.values[1].probability - 0.02
    assert [v.model_probability for v in after.values] == [0.4, 0.6]
    assert after == valued(A=Quoted(Price(3_000), Price(3_400)))


def test_one_book_that_says_nothing_leaves_its_exclusive_event_the_model_alone() -> None:
    lost = valued(B="B: its book is stale")
    assert [(v.probability, v.sigma, v.weight) for v in lost.values] == [(0.4, 0.03, 1.0), (0.6, 0.03, 1.0)]
    assert {(v.market_probability, v.unpooled) for v in lost.values} == {(None, "B: its book is stale")}
    (found,) = follow([lost], BOOKS.__getitem__)
    assert found == valued()


def test_a_market_that_stands_alone_loses_nobody_elses_book() -> None:
    first, second = valued(exclusive=False, B="B: no book yet").values
    assert (first.unpooled, first.market_probability) == ("", pytest.approx(0.22))
    assert (second.unpooled, second.probability, second.weight) == ("B: no book yet", 0.6, 1.0)


def test_a_model_that_adds_nothing_leaves_the_market() -> None:
    values = valued(Standing(Verdict.WORTHLESS, 0.0, "adds nothing")).values
    assert [v.probability for v in values] == pytest.approx([22 / 82, 60 / 82])
    # A mid is known to half its spread over the root of three.
    assert values[0].sigma == pytest.approx(0.04 / math.sqrt(12), rel=0.05)
    assert {(v.weight, v.doubt) for v in values} == {(0.0, "adds nothing")}


@given(events())
def test_the_sharpened_market_is_what_the_pool_makes_of_the_market_alone(
    one: tuple[bool, list[float], list[float], float, float],
) -> None:
    exclusive, chances, mids, _, sharpen = one
    tickers = tuple(f"M{n}" for n in range(len(mids)))
    bids = [Price(round(q * 9_998)) for q in mids]
    quotes = {t: Quoted(bid, Price(bid + 2)) for t, bid in zip(tickers, bids, strict=True)}
    told = msgspec.structs.replace(
        predicted(exclusive), tickers=tickers, says=Chances(tuple(chances), tuple(0.03 for _ in chances))
    )
    (event,) = value([Judged(told, Standing(Verdict.WORTHLESS, 0.0, ""), sharpen)], quotes.__getitem__)
    for fair in event.values:
        assert event.sharpened(fair.ticker) == pytest.approx(fair.probability, abs=1e-9)


def test_there_is_no_sharpened_market_where_there_is_no_pool() -> None:
    assert valued(B="B: its book is stale").sharpened("A") is None
    assert valued().sharpened("C") is None
    assert valued().sharpened("A") == valued().values[0].market_probability


def test_versions_tell_what_made_a_value_apart() -> None:
    lower = valued(msgspec.structs.replace(PROVEN, weight=0.4))
    assert valued().version == valued(A=Quoted(Price(1_000), Price(1_400))).version != lower.version
    assert {v.version for v in lower.values} == {lower.version}
    assert lower.version.startswith("1.")


# --- records ----------------------------------------------------------------------------------------

RECORD = Evidence("KXHIGHNY", "rolling", 90, 0.040, 0.016, 0.4)


@pytest.mark.parametrize(
    ("changed", "verdict", "weight", "said"),
    [
        ({}, Verdict.PROVEN, 0.345, "the model adds +0.040 +- 0.016 nats an event"),
        ({"days": 59}, Verdict.INSUFFICIENT, 0.35, "evidence insufficient: 59 of 60 settled days scored"),
        ({"error": 0.027, "gain": 0.02}, Verdict.INSUFFICIENT, 0.142, "may be chance"),
        ({"gain": 0.0}, Verdict.WORTHLESS, 0.0, "the model adds nothing: +0.000"),
        ({"gain": -0.1}, Verdict.WORTHLESS, 0.0, "over 90 days"),
        ({"simulated": True}, Verdict.PROVEN, 0.345, "SIM: the model adds"),
        ({"pit_mean": 0.58}, Verdict.PROVEN, 0.345, "the model adds"),
        (
            {"pit_mean": 0.60},
            Verdict.WORTHLESS,
            0.0,
            "it lies too low: mean PIT 0.60, not 0.5 +- 0.09",
        ),
        ({"pit_mean": 0.40}, Verdict.WORTHLESS, 0.0, "biased, it lies too high"),
        ({"beaten": -0.03, "beaten_error": 0.02}, Verdict.PROVEN, 0.345, "the model adds"),
        (
            {"beaten": -0.05, "beaten_error": 0.02},
            Verdict.WORTHLESS,
            0.0,
            "value -0.050 +- 0.020",
        ),
        ({"pit_mean": math.nan}, Verdict.WORTHLESS, 0.0, "mean PIT nan"),
        ({"beaten": math.nan, "beaten_error": 0.02}, Verdict.WORTHLESS, 0.0, "closing-line value +nan"),
    ],
)
def test_a_record_earns_its_weight(changed: dict, verdict: Verdict, weight: float, said: str) -> None:
    found = standing(msgspec.structs.replace(RECORD, **changed), usual(3, Lead.EVENING))
    assert (found.verdict, found.weight) == (verdict, pytest.approx(weight, abs=0.001))
    assert said in found.sentence
    assert found.doubt == ("" if verdict is Verdict.PROVEN else found.sentence)


def test_nobody_is_proven_without_a_record() -> None:
    found = standing(None, usual(3, Lead.EVENING))
    assert (found.weight, found.doubt) == (0.35, "evidence insufficient: no settled days scored")


@pytest.mark.parametrize("wrong", [{"gain": math.nan}, {"error": -0.1}, {"weight": 1.5}])
def test_a_record_that_is_no_number_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="KXHIGHNY rolling"):
        msgspec.structs.replace(RECORD, **wrong)
