"""Which outcomes an event has, by what its markets say of themselves, and when they make none."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Market, Strike, StrikeKind
from core.strategy.outcomes import Outcomes, outcomes

ABOVE, BELOW, BETWEEN, OTHER = StrikeKind.GREATER, StrikeKind.LESS, StrikeKind.BETWEEN, StrikeKind.OTHER


def market(
    made: Any, ticker: str, kind: StrikeKind, floor: Any = None, cap: Any = None, **more: Any
) -> Market:
    changes = {"strike": Strike(kind, floor, cap), "exclusive": False} | more
    return msgspec.structs.replace(made.market(ticker), **changes)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=3), st.floats(0, 1))
def test_exclusive_markets_leave_the_rest_to_an_outcome_of_its_own(
    made: Any, weights: list[float], rest: float
) -> None:
    scale = sum(weights) + rest
    if scale < 0.01:
        return
    chances = [(made.market(t), w / scale) for t, w in zip("ABC", weights, strict=False)]
    found = outcomes(chances)
    assert isinstance(found, Outcomes) and found.exclusive
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-12)
    assert found.probabilities[-1] == pytest.approx(rest / scale, abs=1e-9)
    for i, (listed, chance) in enumerate(chances):
        assert found.pays[listed.ticker].index(True) == i and sum(found.pays[listed.ticker]) == 1
        assert found.probabilities[i] == pytest.approx(chance, abs=1e-9)


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6), st.booleans())
def test_thresholds_cut_the_line_into_steps(made: Any, levels: list[float], below: bool) -> None:
    levels = sorted(levels, reverse=not below)
    kind = BELOW if below else ABOVE
    chances = [
        (market(made, str(n), kind, None if below else n, n if below else None), p)
        for n, p in enumerate(levels)
    ]
    found = outcomes(chances)
    assert isinstance(found, Outcomes)
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-12)
    for listed, chance in chances:
        paid = sum(p for p, pays in zip(found.probabilities, found.pays[listed.ticker], strict=True) if pays)
        assert paid == pytest.approx(chance, abs=1e-9)


def test_the_bound_itself_is_between_more_and_at_least(made: Any) -> None:
    more = market(made, "X", ABOVE, 3)
    least = market(made, "Y", StrikeKind.GREATER_OR_EQUAL, 3)
    found = outcomes([(more, 0.5), (least, 0.6)])
    assert isinstance(found, Outcomes)
    assert found.probabilities == pytest.approx((0.4, 0.1, 0.5))
    assert found.pays == {"X": (False, False, True), "Y": (False, True, True)}


def test_strikes_apart_are_exclusive_whatever_the_venue_says(made: Any) -> None:
    low, high = market(made, "X", BETWEEN, 1, 2), market(made, "Y", ABOVE, 2)
    found = outcomes([(low, 0.3), (high, 0.2)])
    assert isinstance(found, Outcomes) and found.exclusive
    assert found.probabilities == pytest.approx((0.3, 0.2, 0.5))


def test_a_market_alone_has_two_outcomes(made: Any) -> None:
    found = outcomes([(market(made, "X", OTHER), 0.3)])
    assert isinstance(found, Outcomes)
    assert found.probabilities == pytest.approx((0.3, 0.7))


def test_whole_degrees_that_touch_overlap(made: Any) -> None:
    def pair(station: str | None) -> list[tuple[Market, float]]:
        shown = ((48, 50), (50, 51))
        return [
            (market(made, t, BETWEEN, *bounds, exclusive=True, station=station), 0.3)
            for t, bounds in zip("XY", shown, strict=True)
        ]

    assert outcomes(pair("KNYC")) == "the strikes of X and Y overlap"
    assert isinstance(outcomes(pair(None)), Outcomes)  # of a price that is no whole number, one point


@pytest.mark.parametrize(
    ("strikes", "chances", "said"),
    [
        ([(BETWEEN, 1, 3), (BETWEEN, 2, 4)], (0.3, 0.3), "overlap in a way"),
        ([(BETWEEN, 1, 3), (ABOVE, 2, None)], (0.3, 0.3), "overlap in a way"),
        ([(OTHER, None, None), (OTHER, None, None)], (0.3, 0.3), "overlap in a way"),
        ([(ABOVE, 1, None), (ABOVE, 2, None)], (0.3, 0.4), "beyond 1 is likelier the further it is"),
        ([(ABOVE, 1, None), (ABOVE, 1, None)], (0.3, 0.4), "two markets disagree about 1"),
        ([(BELOW, None, 1), (ABOVE, 1, None)], (0.6, 0.6), "add up to 1.200"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    made: Any, strikes: list[Any], chances: tuple[float, ...], said: str
) -> None:
    listed = [market(made, f"M{n}", *strike) for n, strike in enumerate(strikes)]
    found = outcomes(list(zip(listed, chances, strict=True)))
    assert isinstance(found, str) and said in found


def test_exclusive_markets_that_are_certain_together_are_refused(made: Any) -> None:
    found = outcomes([(made.market("A"), 0.7), (made.market("B"), 0.5)])
    assert found == "the chances of its exclusive markets add up to 1.200"


@pytest.mark.parametrize("chance", [float("nan"), float("inf"), -0.1, 1.1])
def test_no_probability_is_refused(made: Any, chance: float) -> None:
    assert outcomes([(made.market("B"), chance)]) == "a fair value of the event is no probability"
