"""The campaign's books: counts merge in any order, an interruption loses nothing, a failure is made small."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core.domain.lifecycle import advance
from core.domain.market import Venue
from core.domain.order import BookSide, Event, Order, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity
from tests.simulation import campaign as module
from tests.simulation.campaign import Totals, campaign, load, report, save
from tests.simulation.coverage import recorded
from tests.simulation.run import GAPS, WHIMS, Broken, Result, Script
from tests.simulation.seeds import as_line, parsed
from tests.simulation.shrink import shrink

INTENT = OrderIntent(
    "pm-1", Venue.KALSHI, "A", BookSide.BID, Purpose.OPEN, Price(5_000), Quantity(1), TimeInForce.IOC,
    post_only=False, reduce_only=False, expires_ms=None, created_ms=0, reserved=Money(0),
)  # fmt: skip
BROKEN = Broken(3, "fills differ", 7, "belief", "truth", ("last",))


def result(script: Script, broken: Broken | None = None) -> Result:
    seed = script.seed
    return Result(
        script,
        10 * seed,
        60.0,
        0.5,
        {"N01": seed},
        (f"row {seed}",),
        {"send.booked": 1},
        {"R1": 1},
        seed,
        broken,
    )


def played(script: Script) -> Result:
    """Stands for a run; the third seed breaks a promise."""
    return result(script, BROKEN if script.seed == 3 else None)


def test_counts_are_the_same_in_whatever_order_runs_end() -> None:
    forwards, backwards = Totals("v"), Totals("v")
    for seed in (1, 2, 3):
        forwards.add(played(Script(seed)))
    for seed in (3, 2, 1):
        backwards.add(played(Script(seed)))
    backwards.seeds.sort()
    assert forwards == backwards
    assert (forwards.lifecycles, forwards.faults, forwards.slowest_unknown_seed) == (60, {"N01": 6}, 3)


def test_the_report_names_what_is_missing_and_ends_with_the_verdict() -> None:
    totals = Totals("v")
    for seed in (1, 3):
        totals.add(played(Script(seed)))
    lines = list(report(totals))
    assert "  not covered: LIFE INTENT + handed_over" in lines
    assert "  not covered: send.booked" not in lines
    assert "  replay: python -m tests.simulation --seed 3" in lines
    assert lines[-1] == "40 lifecycles, 1 violations"


def test_an_interrupted_campaign_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "run", played)
    monkeypatch.setattr(module, "version", lambda: "v")

    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign(1_000, tmp_path, 1, interrupt)
    before = load(tmp_path, "v")
    assert 3 in before.seeds and [found.script.seed for found in before.found] == [3]
    after = campaign(before.lifecycles + 1, tmp_path, 1, lambda _: None)
    assert len(after.seeds) == len(set(after.seeds)) > len(before.seeds)
    assert after.lifecycles == sum(10 * seed for seed in after.seeds)


def test_a_changed_tree_begins_anew(tmp_path: Path) -> None:
    totals = Totals("v")
    totals.add(played(Script(1)))
    save(tmp_path, totals)
    assert (load(tmp_path, "v"), load(tmp_path, "w")) == (totals, Totals("w"))


def test_a_failing_run_is_made_small() -> None:
    def attempt(script: Script) -> Result:
        kinds = {k: 1 for k in ("N01", "N02", "X04") if k not in script.without}
        broken = BROKEN if "N01" in kinds and script.length_s >= 20 else None
        return msgspec.structs.replace(result(script, broken), faults=kinds)

    small = shrink(Script(9, 120), lambda _: None, attempt)
    assert (sorted(small.without), small.kills) == (["N02", "X04", WHIMS], False)
    assert 20 <= small.length_s < 30


def test_a_kept_seed_is_read_as_it_was_written() -> None:
    for script in (Script(7, 60), Script(8, 30, without=("N01", WHIMS), kills=False)):
        assert parsed(as_line(script, "what broke")) == [script]
    assert parsed("\n# a remark\n") == []


def test_two_of_ten_seeds_desks_hear_in_gaps_unless_these_are_left_out() -> None:
    """Without them no campaign meets the end of an order as the first that is heard of it."""
    with_gaps = [seed for seed in range(20) if set(GAPS) <= set(Script(seed).swarm().habits)]
    assert with_gaps == [7, 8, 17, 18]
    kinds = [habit.kind.name for habit in Script(7, without=("N20",)).swarm().habits]
    assert "N20" not in kinds and len(kinds) == len(set(kinds))


PARENT = """
import time
from tests.simulation.pool import workers
with workers(2) as pool:
    busy = [pool.submit(time.sleep, 300) for _ in range(2)]
    print(*pool._processes, flush=True)
    busy[0].result()
"""


def test_workers_end_with_the_campaign_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(signal.SIGKILL)
    # The pipe is theirs too: it ends when the last of them is gone.
    assert parent.communicate(timeout=20)[0] == ""


def test_the_moves_of_a_run_are_recorded() -> None:
    """The tables are watched where they are looked up."""
    with recorded() as rows:
        advance(Order(INTENT), Event.HANDED_OVER)
    assert rows == ["LIFE INTENT + handed_over"]
