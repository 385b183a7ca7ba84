"""A newcomer's first minute: ``pmconsole``, a card, a fill, the stop key, and out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from tests.desk.rig import STOP_KEY, Desk, alive
from tests.desk.terminal import Terminal, wait_for

Keep = Callable[[Terminal], Terminal]


def test_a_card_is_approved_filled_and_flattened_and_q_leaves_nothing_behind(
    home: Desk, opened: Keep
) -> None:
    console = opened(home.terminal("demo", "--seed", "1"))
    screen = console.wait(r"ARMED", 30)
    assert "DEMO" in screen
    assert re.search(r"APPROVE 1 of \d", screen)
    home.turn_to_kalshi(console)
    home.approve_by_key(console)
    wait_for("fill", 40, lambda: home.happened("FILL"))
    console.wait(r"POSITIONS 1", 5)
    held = home.venue.positions()
    assert held
    told = home.told("positions")
    assert {row["ticker"]: float(row["net"]) for row in told} == held
    fills = home.venue.fills()
    assert sum(float(f["count_fp"]) for f in fills) == sum(map(abs, held.values()))
    assert [o for o in home.told("orders") if float(o["filled"])]

    console.press(STOP_KEY)
    console.wait("STOPPING", 5)
    wait_for("flat venue", 30, lambda: not home.venue.positions(), poll_s=0.1)
    assert not home.venue.orders(status="resting")
    wait_for("receipt", 15, lambda: home.happened("FLATTEN_END", "FLAT, confirmed"))
    assert home.told("status")["level"] in ("HALTED", "LOCKED")
    engine, sim = home.engine_pid(), home.sim_pid()

    console.wait("FLAT, confirmed", 10)
    console.press(b"q")
    assert console.ended() == 0
    assert not alive(engine) and not alive(sim)
    assert console.restored()
    # The last words may still lie in the terminal when their writer has gone.
    wait_for("last word", 5, lambda: console.said().rstrip().endswith("Simulator stopped."))
    said = console.said()
    assert "\x1b[?1049l" in said and "Traceback" not in said
    assert home.run("journal", "verify").code == 0


def test_a_dropped_line_and_a_killed_console_leave_the_desk_to_the_next(home: Desk, opened: Keep) -> None:
    first = opened(home.terminal("demo", "--scenario", "quiet", "--seed", "3"))
    first.wait(r"KAL ok", 30)
    engine, sim = home.engine_pid(), home.sim_pid()
    first.hang_up()
    first.ended(10)
    assert alive(engine) and alive(sim)

    second = opened(home.terminal())
    second.wait(r"KAL ok", 20)
    assert f"Attaching to the desk that runs already (engine pid {engine})." in second.said()
    os.kill(second.process.pid, 9)
    second.ended(10)
    assert home.told("status")["controller"] is None
    assert alive(engine) and alive(sim)

    third = opened(home.terminal())
    third.wait(r"KAL ok", 20)
    third.press(b"q")
    assert third.ended() == 0
    assert f"The engine goes on (pid {engine})" in third.said()
    assert third.restored()
    assert alive(engine) and alive(sim)
