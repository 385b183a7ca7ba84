"""The drill: the stop ladder played against the simulator, timed, and its date written down.

A desk of its own runs in a throwaway directory: the same programs, the same commands over the same
socket, simulated money. What is proved here is that this machine and this program stop: cancels
leave at once, positions are sold, the venue's own records are empty.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from core.config import paths
from core.config.drill import Drill, write_drill
from core.config.paths import Profile
from core.control.client import Line, LinkError
from core.control.protocol import (
    AcknowledgeAll,
    AnyCommand,
    Approve,
    DrillWatchdog,
    Flatten,
    Query,
    Reply,
    Resume,
    Unpause,
)
from core.domain.clock import machine_ns
from tui import front_door, verbs
from tui.front_door import StartError

READY_S = 40.0
EXPOSED_S = 90.0
"""So long the drill waits for something to hold and something to cancel."""
STRUCK_S = 40.0
"""The watchdog waits 10 s, asks, cancels, and the engine speaks again."""
FLAT_S = 60.0
ORDERS_WANTED = 2
POLL_S = 0.25
"""Up to four questions a look: the engine answers one connection 20 a second."""
SAID_MAX = 400
_HOME = "PMCONSOLE_HOME"


class Step(NamedTuple):
    """One proved step of the ladder."""

    name: str
    said: str


class DrillError(Exception):
    """A step did not happen; the text says which and what was seen instead."""


def drill(place: Profile) -> int:
    """Play the ladder, print each step, and keep the outcome for the doctor."""
    from importlib.metadata import version

    said: list[str] = []
    passed = False
    try:
        with tempfile.TemporaryDirectory(prefix="pmconsole-drill-") as folder:
            for step in _ladder(Path(folder)):
                click.echo(f"ok  {step.name:<10} {step.said}")
                said.append(f"{step.name} {step.said}")
        passed = True
    except (DrillError, StartError, paths.ProfileError) as error:
        click.echo(f"FAILED  {error}", err=True)
        said.append(str(error))
    record = Drill(time.time_ns() // 1_000_000, version("pmconsole"), passed, "; ".join(said)[-SAID_MAX:])
    try:
        write_drill(place.drill, record)
    except OSError as error:
        verbs.leave(verbs.USAGE, f"pmconsole drill: cannot write {place.drill}: {error.strerror}")
    click.echo(f"{'Passed' if passed else 'Failed'}; kept in {place.drill}.")
    return verbs.DONE if passed else verbs.REFUSED


def _ladder(folder: Path) -> Iterator[Step]:
    """Start a desk, get exposed, stop, and take the desk down whatever happened."""
    before = os.environ.get(_HOME)
    os.environ[_HOME] = str(folder)  # inherited by the processes of this desk
    try:
        desk = paths.profile("demo")
        paths.prepare(desk)
        front_door.start_simulated(desk)
        try:
            with verbs.open_line(desk) as line:
                yield _ready(line)
                yield _exposed(line)
                yield _guarded(line)
                yield _resumed(line)
                yield _exposed(line)
                yield from _stopped(line)
        finally:
            front_door.stop_all(desk)
    finally:
        if before is None:
            del os.environ[_HOME]
        else:
            os.environ[_HOME] = before


def _ready(line: Line) -> Step:
    began = time.monotonic()
    _until("the engine is ready", READY_S, lambda: _ask(line, "status")["ready"])
    return Step("desk", f"ready after {time.monotonic() - began:.1f} s")


def _exposed(line: Line) -> Step:
    """Approve cards until something rests and something is held."""

    def enough() -> bool:
        live = [o for o in _ask(line, "orders") if o["state"] in ("WORKING", "PARTIAL")]
        held = [p for p in _ask(line, "positions") if p["net"] not in ("0", None)]
        if live and held:
            return True
        if len(live) < ORDERS_WANTED:
            for card in _ask(line, "proposals"):
                if card["state"] in ("OPEN", "MOVED"):
                    proposal, mark = verbs.split_id(card["id"])
                    _call(line, Approve(verbs.new_id(), proposal, mark))
                    break
        return False

    _until("an order rests and a position is held", EXPOSED_S, enough)
    status = _ask(line, "status")
    return Step("exposed", f"{status['open_orders']} orders rest, at risk {status['exposure']}")


def _guarded(line: Line) -> Step:
    """The engine falls silent on purpose: the watchdog cancels what rests, over its own connection."""
    began = time.monotonic()
    _accepted(line, DrillWatchdog(verbs.new_id()), "the watchdog's drill")

    def struck() -> bool:
        status = _ask(line, "status")
        return status["level"] == "HALTED" and not status["open_orders"]

    _until("the watchdog cancels what rests", STRUCK_S, struck)
    return Step("watchdog", f"an engine gone silent lost its orders after {time.monotonic() - began:.1f} s")


def _resumed(line: Line) -> Step:
    """Go on as an operator would: see what rang, a typed word and a reason, and entries allowed again."""
    began = time.monotonic()
    refusal = ""

    def lifted() -> bool:
        nonlocal refusal
        _call(line, AcknowledgeAll(verbs.new_id()))  # a refusal says that nothing new has rung
        reply = _call(line, Resume(verbs.new_id(), "resume", "drill"))
        refusal = reply.text
        return reply.accepted

    try:
        _until("the halt is lifted after a clean reconcile", READY_S, lifted)
    except DrillError as error:
        raise DrillError(f"{error}; the desk says: {refusal}") from error
    _accepted(line, Unpause(verbs.new_id(), confirm="unpause"), "entries")
    return Step("resumed", f"after {time.monotonic() - began:.1f} s")


def _call(line: Line, command: AnyCommand) -> Reply:
    try:
        return line.call(command)
    except LinkError as error:
        raise DrillError(f"the engine gave no answer: {error}") from error


def _ask(line: Line, what: str) -> Any:
    reply = _call(line, Query(verbs.new_id(), what))
    if not reply.accepted:
        raise DrillError(f"{what}: refused, {reply.text}")
    return json.loads(reply.data)


def _accepted(line: Line, command: AnyCommand, what: str) -> None:
    reply = _call(line, command)
    if not reply.accepted:
        raise DrillError(f"{what}: refused, {reply.text}")


def _stopped(line: Line) -> Iterator[Step]:
    began = time.monotonic()
    _accepted(line, Flatten(verbs.new_id(), sent_ns=machine_ns()), "the stop")
    answered_ms = (time.monotonic() - began) * 1000

    def flatten() -> dict[str, Any]:
        found: dict[str, Any] = _ask(line, "status")["flatten"]
        return found

    _until(
        "every cancel is proved",
        FLAT_S,
        lambda: all(v["cancels_confirmed"] == v["cancels_sent"] for v in flatten()["venues"]),
    )
    yield Step(
        "cancels", f"out after {answered_ms:.0f} ms, all proved after {time.monotonic() - began:.1f} s"
    )
    _until("the ladder has ended", FLAT_S, lambda: flatten()["phase"] in verbs.FLATTEN_OVER)
    ended = flatten()
    if ended["phase"] != "FLAT":
        raise DrillError(f"not flat: {ended['phase']}, {'; '.join(ended['residue']) or 'no residue named'}")
    yield Step("flat", f"after {time.monotonic() - began:.1f} s: {ended['receipt']}")


def _until(what: str, seconds: float, happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise DrillError(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_S)
