"""Engine and simulator die under a working desk, and what is found afterwards."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.desk.conftest import CALM, SERIES
from tests.desk.rig import SLOW, Desk, alive, end
from tests.desk.terminal import Terminal, wait_for

Keep = Callable[[Terminal], Terminal]


def test_a_killed_engine_is_named_and_the_next_reconciles_unarmed_and_sends_nothing_twice(
    busy: Desk, opened: Keep, resting: Callable[[Desk], str]
) -> None:
    console = opened(busy.console(80, 24))
    mine = resting(busy)
    console.wait(r"ORDERS 1", 5)
    end(busy.engine.pid, signal.SIGKILL)
    screen = console.wait(r"ENGINE DOWN", 10)
    assert "pmconsole engine start" in screen
    sent = sorted(order["client_order_id"] for order in busy.venue.orders())

    said = busy.run("engine", "start")
    assert said.code == 0, said.err
    busy.hang_up()
    wait_for("ready engine", 20, lambda: busy.ask("status")["ready"], poll_s=0.1)
    status = busy.told("status")
    assert (status["paused"], status["level"]) == (["*"], "NORMAL")
    known = {order["id"]: order["state"] for order in busy.told("orders")}
    assert known[mine] == "WORKING"
    console.wait(r"PAUSED", 10)
    assert sorted(order["client_order_id"] for order in busy.venue.orders()) == sent
    verified = busy.run("journal", "verify")
    assert verified.code == 0, verified.out


def test_a_killed_simulator_shows_down_and_a_restarted_one_is_another_world(busy: Desk, opened: Keep) -> None:
    console = opened(busy.console(80, 24))
    console.wait(r"KAL ok", 10)
    world = busy.told("status")["world_id"]
    end(busy.sim.pid, signal.SIGKILL)
    console.wait(r"KAL +DOWN", 15)
    assert busy.told("status")["venues"][0]["state"] == "DOWN"
    assert alive(busy.engine.pid)
    busy.start_sim("busy", speed=SLOW, seed=2, module=CALM)
    wait_for("halt", 10, lambda: busy.ask("status")["level"] == "HALTED", poll_s=0.1)
    reason = busy.told("status")["level_reason"]
    assert "busy-2-" in reason and world in reason and "pmconsole demo --fresh" in reason
    assert alive(busy.engine.pid)
    console.wait(r"HALTED", 10)
    started = busy.run("engine", "start")
    assert started.code == 75


def test_an_engine_killed_at_its_answer_and_again_at_a_cancel_repeats_and_forgets_nothing(
    home: Desk,
) -> None:
    """The venue has the order and no row says so; then the venue has cancelled it and no row says so."""
    home.place.directory.mkdir(mode=0o700)
    home.place.config.write_text(SERIES)
    home.start_sim("busy", speed=SLOW, module=CALM)

    home.start_engine(die_at="send.after_answer")
    home.approve()
    assert home.engine.wait(10) == -signal.SIGKILL
    (sent,) = home.venue.orders()
    assert sent["status"] == "resting" and not home.happened("SEND_OUTCOME")

    home.start_engine(die_at="cancel.after_answer")
    wait_for("the order found", 10, lambda: home.ask("orders")[0]["state"] == "WORKING", poll_s=0.1)
    home.run("cancel", sent["client_order_id"])
    assert home.engine.wait(10) == -signal.SIGKILL
    assert home.venue.orders()[0]["status"] == "canceled" and not home.happened("CANCEL_OUTCOME")

    home.start_engine()
    wait_for("its end", 10, lambda: home.ask("orders")[0]["state"] == "CANCELLED", poll_s=0.1)
    assert [order["client_order_id"] for order in home.venue.orders()] == [sent["client_order_id"]]
    verified = home.run("journal", "verify")
    assert verified.code == 0, verified.out
