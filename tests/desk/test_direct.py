"""``flatten --direct`` beside an engine that answers, one that hangs, and none at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.desk.rig import Desk, end
from tests.desk.terminal import wait_for


def test_it_leaves_a_living_engine_alone_cancels_beside_a_hanging_one_and_sells_without_one(
    busy: Desk, resting: Callable[[Desk], str]
) -> None:
    end(busy.watchdog.pid, signal.SIGKILL)  # it would cancel first
    resting(busy)
    refused = busy.run("flatten", "--direct")
    assert (refused.code, "the engine answers" in refused.err) == (75, True)
    assert busy.venue.orders(status="resting")

    os.kill(busy.engine.pid, signal.SIGSTOP)
    beside = busy.run("flatten", "--direct")
    assert beside.code == 1 and "nothing is sold" in beside.out and "kill -9" in beside.out
    assert not busy.venue.orders(status="resting")

    end(busy.engine.pid, signal.SIGKILL)
    busy.venue.buy(9)
    assert busy.venue.positions()
    done = busy.run("flatten", "--direct")
    assert done.code == 0, done.out + done.err
    ends = sorted(line for line in done.out.splitlines() if " FLAT" in line)
    assert ends[0].startswith("KAL FLAT, confirmed twice by the venue. 9.00 contracts sold")
    assert ends[1].startswith("POLY FLAT, confirmed twice by the venue. 0.00 contracts sold")
    assert not busy.venue.positions()

    busy.start_engine()
    wait_for("halt", 10, lambda: busy.ask("status")["level"] == "HALTED", poll_s=0.1)
