"""What is said outside and when, on a table of alarms and a clock that is only a number."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.control.outside.calls import BURST_NS, CONDITIONS_MAX, FLOOD, OVER_NS, Calls, News, sentence
from core.engine.state import Alarm, AlarmLevel

S = 1_000_000_000
AGAIN_NS = 900 * S


class Table:
    """Alarms as the engine keeps them, and what was said of them."""

    def __init__(self) -> None:
        self.calls = Calls(AGAIN_NS)
        self.alarms: dict[int, Alarm] = {}
        self.now = 0
        self.said: list[tuple[int, str]] = []
        """Seconds, and the sentence."""
        self.deaf = False
        self._next = 1

    def rings(self, key: str, what: str = "", effect: str = "", clears: str = "") -> Alarm:
        alarm = Alarm(self._next, AlarmLevel.ACT, 0, self.now, what or key, effect, clears, key=key)
        self._next += 1
        self.alarms[alarm.id] = alarm
        return alarm

    def passes(self, seconds: int) -> list[str]:
        """What is said meanwhile, a look a second."""
        before = len(self.said)
        for _ in range(seconds):
            self.now += S
            self.calls.look(self.alarms.values(), self.now)
            call = self.calls.due(self.now)
            if call is not None and not self.deaf:
                self.said.append((self.now // S, sentence(call)))
                self.calls.told(call, self.now)
        return [text for _, text in self.said[before:]]


def test_one_is_said_once_again_while_unseen_and_once_more_when_it_is_over() -> None:
    table = Table()
    alarm = table.rings("loss", "lost 60 % of the day's limit", "the desk is halted", "resume")
    words = "lost 60 % of the day's limit; the desk is halted; clears: resume"
    assert table.passes(1) == [words]
    assert table.passes(899) == []
    assert table.passes(901) == [f"not seen yet: {words}"] * 2
    assert [at for at, _ in table.said] == [1, 901, 1801]
    alarm.acknowledged = True
    assert table.passes(3_600) == []
    alarm.active = False
    assert table.passes(3_600) == ["lost 60 % of the day's limit"]
    del table.alarms[alarm.id]
    assert table.passes(60) == []
    assert not table.calls._of, "nothing is kept of what is over and told"


def test_what_comes_and_goes_within_a_minute_is_one_and_what_was_seen_calls_anew() -> None:
    table = Table()
    for _ in range(20):
        alarm = table.rings("stream")
        table.passes(20)
        alarm.active = False
        table.passes(20)
    assert [text for _, text in table.said] == ["stream"], "no message for each"
    table.rings("stream")
    assert table.passes(120) == ["not seen yet: stream (21 times)"], "800 s of it have passed"
    newest = table.alarms[21]
    newest.acknowledged, newest.active = True, False
    table.passes(5)
    table.rings("stream")
    assert table.passes(2) == ["stream (22 times)"], "whoever saw it is called anew"


def test_what_came_and_went_between_two_looks_is_said_all_the_same() -> None:
    table = Table()
    alarm = table.rings("blink")
    alarm.active = False
    assert table.passes(1) == ["blink; over by now"]
    del table.alarms[alarm.id]
    assert table.passes(100) == ["blink"]


def test_a_flood_of_one_sort_is_one_message_with_a_count_and_no_other_waits_for_it() -> None:
    table = Table()
    for number in range(40):
        table.rings(f"external {number}", f"order {number} is not ours")
    table.rings("journal", "the journal has failed")
    assert table.passes(2) == [
        "40 alarms of one sort: order 0 is not ours; order 1 is not ours; order 2 is not ours; and 37 more",
        "the journal has failed",
    ]
    for number in range(40, 70):  # one every second: three messages a minute, and all of them told
        table.rings(f"external {number}", f"order {number} is not ours")
        table.passes(1)
    assert len(table.said) == 2 + FLOOD - 1
    table.passes(61)
    told = {one.alarm.key for one in table.calls._of.values() if one.told_ns is not None}
    assert len(told) == 71, "none is dropped"
    assert len(table.said) <= 2 + FLOOD + 2


def test_a_receiver_that_is_gone_gets_what_stands_and_what_it_missed() -> None:
    table = Table()
    table.deaf = True
    gone = table.rings("gone")
    stands = table.rings("stands")
    table.passes(30)
    gone.active = False
    table.passes(3_600)
    del table.alarms[gone.id]
    table.deaf = False
    assert table.passes(2) == ["gone; over by now", "stands"]
    table.deaf = True
    for number in range(CONDITIONS_MAX + 100):
        alarm = table.rings(f"flap-{number}")
        table.passes(1)
        del table.alarms[alarm.id]
    table.passes(1)
    assert len(table.calls._of) <= CONDITIONS_MAX + 1 and table.calls.lost >= 99, "counted, not kept for ever"
    assert stands.id in table.alarms


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_rings_is_told_within_two_minutes_and_over_only_when_it_is(seed: int) -> None:
    """Chance rings, ends and sees."""
    rng, table = random.Random(seed), Table()
    rang: dict[str, int] = {}
    told: set[str] = set()
    for _ in range(150):
        for _ in range(rng.choice((0, 0, 1, 3))):
            key = f"{rng.choice('abc')} {rng.randrange(8)}"
            if not any(a.active and a.key == key for a in table.alarms.values()):
                table.rings(key)
                rang.setdefault(key, table.now)
        for alarm in table.alarms.values():
            alarm.active &= rng.random() > 0.05
            alarm.acknowledged |= rng.random() < 0.02
        table.now += 2 * S
        table.calls.look(table.alarms.values(), table.now)
        call = table.calls.due(table.now)
        if call is not None:
            over = [one.over_ns is not None and table.now - one.over_ns >= OVER_NS for one in call.about]
            assert all(over) if call.news is News.OVER else True
            table.calls.told(call, table.now)
            told |= {one.alarm.key for one in call.about}
        assert {key for key, at in rang.items() if table.now - at > 2 * BURST_NS} <= told
