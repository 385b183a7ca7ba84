"""When a watchdog strikes: after ten seconds of silence, and never beside an engine that lives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.control.pulse import Pulse
from core.watchdog.watch import Suspicion, Watch

S = 1_000_000_000
SILENT = 10 * S


def pulse(
    counter: int,
    *,
    live: int = 1,
    run: str = "r1",
    leaving: bool = False,
    kept: bool = False,
    drill: bool = False,
) -> Pulse:
    return Pulse(run, 1, counter, 1, live, (), leaving, kept, drill)


def after(seconds: float, *pulses: Pulse) -> Suspicion:
    """What is suspected so long after the last of some pulses, a second apart."""
    watch = Watch(0, SILENT)
    for number, heard in enumerate(pulses, 1):
        watch.heard(heard, number * S)
    return watch.suspicion(int((len(pulses) + seconds) * S))


def test_silence_with_live_orders_is_struck_after_ten_seconds_and_not_before() -> None:
    assert after(9.99, pulse(1)) is Suspicion.NONE
    assert after(10, pulse(1)) is Suspicion.STRIKE


def test_without_live_orders_the_venue_is_asked_first() -> None:
    assert after(10, pulse(1, live=0)) is Suspicion.LOOK
    assert after(10) is Suspicion.LOOK, "a watchdog that was started beside a dead engine"


def test_an_orderly_end_without_orders_needs_nobody() -> None:
    assert after(1_000, pulse(1), pulse(2, live=0, leaving=True)) is Suspicion.NONE
    assert after(10, pulse(1), pulse(2, live=3, leaving=True)) is Suspicion.STRIKE


def test_orders_kept_on_purpose_are_left_alone() -> None:
    assert after(1_000, pulse(1), pulse(2, live=3, leaving=True, kept=True)) is Suspicion.NONE
    assert after(10, pulse(1, kept=True)) is Suspicion.STRIKE, "not before its end"


def test_a_drill_counts_as_live_orders() -> None:
    assert after(10, pulse(1, live=0, drill=True)) is Suspicion.STRIKE


def test_a_pulse_that_does_not_move_on_proves_nothing() -> None:
    assert after(9.5, pulse(5), pulse(5), pulse(4)) is Suspicion.STRIKE
    assert after(9.5, pulse(5), pulse(1, run="r2")) is Suspicion.NONE, "a new engine begins anew"


def test_after_a_strike_only_a_new_pulse_wakes_it() -> None:
    watch = Watch(0, SILENT)
    watch.heard(pulse(1), S)
    watch.settled()
    assert watch.suspicion(10_000 * S) is Suspicion.NONE
    watch.heard(pulse(2), 10_000 * S)
    assert watch.suspicion(10_010 * S) is Suspicion.STRIKE


@given(st.lists(st.tuples(st.floats(0.1, 9.9), st.integers(0, 3)), min_size=1, max_size=40))
def test_an_engine_that_beats_in_time_is_never_suspected(beats: list[tuple[float, int]]) -> None:
    watch, now = Watch(0, SILENT), 0
    for counter, (gap, live) in enumerate(beats, 1):
        now += int(gap * S)
        assert watch.suspicion(now) is Suspicion.NONE
        watch.heard(pulse(counter, live=live), now)
