"""Numbers by label: the same for whoever asks, and distributed as they say."""

import statistics

from hypothesis import given
from hypothesis import strategies as st

from core.sim.chance import bridge, heavy_below, normal, uniform


@given(st.text(max_size=40))
def test_a_label_has_one_number(label: str) -> None:
    assert 0 < uniform(label) < 1
    assert uniform(label) == uniform.__wrapped__(label)
    assert normal(label) == normal.__wrapped__(label)


def test_normals_are_standard() -> None:
    drawn = [normal(f"n{n}") for n in range(4_000)]
    assert abs(statistics.fmean(drawn)) < 0.06
    assert abs(statistics.pstdev(drawn) - 1) < 0.05


def test_a_bridge_is_tied_at_both_ends_and_widest_in_the_middle() -> None:
    assert bridge("b", 0.0) == bridge("b", 1.0) == 0.0
    halfway = statistics.pstdev(bridge(f"b{n}", 0.5) for n in range(800))
    quarter = statistics.pstdev(bridge(f"b{n}", 0.25) for n in range(800))
    assert abs(halfway - 0.5) < 0.04
    assert abs(quarter - 0.433) < 0.04


def test_a_bridge_has_no_jumps() -> None:
    step = 2.0**-20
    assert max(abs(bridge("b", n * step) - bridge("b", (n + 1) * step)) for n in range(800)) < 6 * step**0.5


def test_heavy_tails_are_those_of_four_degrees_of_freedom_at_deviation_one() -> None:
    assert heavy_below(0.0) == 0.5
    assert abs(heavy_below(-1.0) - 0.115100) < 1e-6  # Student's t of 4 degrees at -sqrt(2)
    assert abs(heavy_below(2.0) - 0.976290) < 1e-6
    assert abs(heavy_below(40.0) - 1.0) < 1e-6
