"""One desk, several consoles: the first controls, everyone can stop. And what a verb may approve."""

from __future__ import annotations

from collections.abc import Callable

from tests.desk.rig import STOP_KEY, Desk
from tests.desk.terminal import Terminal, wait_for

Keep = Callable[[Terminal], Terminal]


def test_the_second_console_only_views_until_it_takes_and_may_always_stop(
    busy: Desk, opened: Keep, card: Callable[[Desk], str]
) -> None:
    first = opened(busy.console(80, 24))
    first.wait(r"ARMED", 15)
    second = opened(busy.console(80, 24))
    second.wait(r"VIEW", 15)
    assert busy.told("status")["viewers"] == 1
    second.press(b"a")
    second.wait(r"(?i)view|control", 5)
    assert busy.venue.orders() == []
    assert busy.happened("APPROVAL") is None

    third = opened(busy.console(80, 24, "--take"))
    third.wait(r"ARMED", 15)
    first.wait(r"VIEW", 5)
    controller = busy.told("status")["controller"]
    assert str(third.process.pid) in controller
    busy.approve_by_key(third)  # the card on top may be of either venue
    wait_for("order", 15, lambda: busy.ask("orders"), poll_s=0.1)

    second.press(STOP_KEY)
    wait_for("flatten", 5, lambda: busy.happened("FLATTEN_START", str(second.process.pid)))
    wait_for("cancelled order", 10, lambda: not busy.resting(), poll_s=0.1)
    third.wait("STOPPING", 5)


def test_a_card_is_approved_only_with_the_fingerprint_it_has_now(
    busy: Desk, card: Callable[[Desk], str]
) -> None:
    shown = card(busy)
    proposal, _, mark = shown.rpartition("-")
    other = mark[:-1] + ("0" if mark[-1] != "0" else "1")
    refused = busy.run("approve", f"{proposal}-{other}")
    assert (refused.code, refused.out) == (1, "")
    assert "has changed since it was shown" in refused.err
    assert busy.venue.orders() == []
    taken = busy.run("approve", shown)
    assert taken.code == 0
    assert "sent: BUY" in taken.out
    again = busy.run("approve", shown)
    assert again.code == 1  # used up
    wait_for("order", 5, busy.venue.orders, poll_s=0.1)
    assert len(busy.venue.orders()) == 1
