from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import REAL_WORLD, WorldClock


@given(st.integers(0, 2**42))
def test_world_time_is_real_time_where_nothing_is_simulated(wall_ms: int) -> None:
    assert REAL_WORLD.at(wall_ms) == wall_ms
    assert REAL_WORLD.real_at(wall_ms) == wall_ms


def test_world_time_runs_from_its_origin_at_its_speed() -> None:
    world = WorldClock(real_origin_ms=1_000, world_origin_ms=50_000, speed=144.0)
    assert world.at(1_000) == 50_000
    assert world.at(2_000) == 50_000 + 144_000
    assert world.real_at(world.at(2_000)) == 2_000
    assert world.real_seconds(144) == 1.0
