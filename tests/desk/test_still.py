"""The engine is stopped by force and goes on: what waited is not sent, and it ends in order all the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable

from tests.desk.rig import PYTHON, Desk
from tests.desk.terminal import wait_for

STOPPED_S = 2.6
"""More than an engine may stand still without noticing."""


def test_an_engine_stopped_for_a_while_sends_nothing_it_had_waiting_and_ends_in_order(
    busy: Desk, card: Callable[[Desk], str], resting: Callable[[Desk], str]
) -> None:
    resting(busy)
    shown = card(busy)
    placed = len(busy.venue.orders())
    os.kill(busy.engine.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    waiting = subprocess.Popen(
        [PYTHON, "-m", "tui.cli", "approve", shown],
        env=busy.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("end of the pause", 10, lambda: time.monotonic() - stopped > STOPPED_S, poll_s=0.1)
    os.kill(busy.engine.pid, signal.SIGCONT)
    _, said = waiting.communicate(timeout=20)
    assert waiting.returncode == 1, said
    gap = wait_for("row of the gap", 5, lambda: busy.happened("ANOMALY", "the engine stood still for"))
    assert len(busy.venue.orders()) == placed, "what was approved into the pause was not sent"

    # Once the account has been read again a card can be approved, and it is the new one.
    again = busy.approve()
    assert again.code == 0, again.err
    assert busy.happened("ANOMALY", "stood still") == gap, "told once"

    def two_rest() -> bool:
        """What rested before was withdrawn if its event's books were stale by the time the engine went on."""
        if len(busy.venue.orders(status="resting")) > 1:
            return True
        busy.approve()
        return False

    # Two SIGTERMs are one stop, and the second does not shorten it.
    wait_for("orders", 30, two_rest, poll_s=0.2)
    for _ in range(2):
        busy.engine.send_signal(signal.SIGTERM)
    assert busy.engine.wait(30) == 0
    assert not busy.venue.orders(status="resting")
    assert sum(row.kind == "STOP" for row in busy.journal()) == 1
    assert busy.run("journal", "verify").code == 0
    _holds_no_secret(busy)


def _holds_no_secret(desk: Desk) -> None:
    """Neither journal nor log of an engine that signed orders holds a line of a key or a signature."""
    lines = [
        line
        for key in desk.place.keys.iterdir()
        for line in key.read_text().splitlines()
        if len(line) > 30 and "-----" not in line
    ]
    assert lines
    log = desk.place.engine_log.read_text()
    written = desk.place.journals()[0].read_bytes().decode(errors="replace") + log
    assert not [line for line in lines if line in written]
    # Two hashes side by side look like a signature in the raw file.
    told = "\n".join(row.actor + row.payload for row in desk.journal()) + log
    assert not re.search(r"[A-Za-z0-9+/]{86,}|KALSHI-ACCESS-SIGNATURE", told)
