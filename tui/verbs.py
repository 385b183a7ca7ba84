"""The CLI's side of the engine's commands: one question, one answer, one exit code.

Nothing here knows a rule: the engine accepts or refuses, and the sentence it answers with is what
is printed. Imports stay light, because a verb has to be faster than the hand that typed it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, NoReturn

import click
import msgspec

from core.config.paths import Profile, socket_path
from core.control.client import ConnectError, Line, LinkError
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Flatten,
    Hello,
    HurryExits,
    Query,
    Reconcile,
    Reply,
    Unpause,
)
from core.domain.clock import machine_ns
from tui import answers

DONE, REFUSED, USAGE, NO_ENGINE, LOCK_HELD = 0, 1, 2, 3, 75

_SESSION = f"cli-{os.urandom(8).hex()}"
POLL_S = 0.25
FLATTEN_OVER = ("FLAT", "ABORTED", "UNFLATTENED")


def new_id() -> str:
    return os.urandom(8).hex()


def open_line(profile: Profile, without: str = "") -> Line:
    """A command connection to the profile's engine; leaves with 3 and the remedy when there is none.

    ``without`` is the remedy of a verb that has another than starting one.
    """
    line = line_if_any(profile)
    if line is None:
        remedy = without or f"Start one with: {profile.command()}"
        leave(NO_ENGINE, f"No engine runs for profile {profile.name}. {remedy}")
    return line


def line_if_any(profile: Profile) -> Line | None:
    """A command connection to the profile's engine, ``None`` where none runs."""
    try:
        return Line(socket_path(profile), Hello(VERSION, "command", "cli", os.getpid(), _SESSION))
    except ConnectError as error:
        if error.absent:
            return None
        leave(REFUSED, str(error))


def one_thread() -> None:
    """Before numpy is imported: over matrices as small as ours the threads of its linear algebra only wait
    for each other, for minutes in a fit, and in an engine on the core that its journal needs."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def leave(code: int, sentence: str) -> NoReturn:
    """End with one sentence on stderr."""
    click.echo(sentence, err=True)
    sys.exit(code)


def json_text(found: Any) -> str:
    """What every ``--json`` prints."""
    return json.dumps(found, indent=2, ensure_ascii=False)


def call(line: Line, command: AnyCommand) -> Reply:
    try:
        return line.call(command)
    except LinkError as error:
        leave(NO_ENGINE, f"No answer: {error}. Whether it was carried out is shown by: pmconsole status")
    except UnicodeEncodeError:
        leave(USAGE, "That was not sent: it holds bytes that are no UTF-8 text; type it again.")
    except ValueError as error:
        leave(USAGE, f"That was not sent: {error}; make it shorter.")


def ask(profile: Profile, what: str, about: str = "") -> Any:
    """The decoded answer of one query, ``about`` one market where it asks for that."""
    with open_line(profile) as line:
        return query(line, what, about)


def ask_or_read(profile: Profile, what: str) -> Any:
    """The same of what an engine has no need to run for: its newest journal tells where none does."""
    line = line_if_any(profile)
    if line is not None:
        with line:
            return query(line, what)
    from core.control.journal_record import UnreadableError, answer_of

    try:
        return json.loads(answer_of(profile, what))
    except UnreadableError as error:
        leave(REFUSED, str(error))


def query(line: Line, what: str, about: str = "") -> Any:
    reply = call(line, Query(new_id(), what, about))
    if not reply.accepted:
        leave(REFUSED, reply.text)
    return json.loads(reply.data)


def command(profile: Profile, send: AnyCommand) -> None:
    """Send; on a terminal ask for the typed word, and a reason not given, when the engine wants them."""
    with open_line(profile) as line:
        reply = call(line, send)
        if not reply.accepted and _may_confirm(send, reply):
            click.echo(reply.text)
            word = click.prompt("Word")
            told = {"id": new_id(), "confirm": word}
            if getattr(send, "reason", None) == "" and not isinstance(send, Unpause):  # which needs none
                told["reason"] = click.prompt("Reason")
            reply = call(line, msgspec.structs.replace(send, **told))
    if not reply.accepted:
        leave(REFUSED, reply.text)
    click.echo(reply.text)


def _may_confirm(send: AnyCommand, reply: Reply) -> bool:
    return "typed word" in reply.text and getattr(send, "confirm", None) == "" and on_terminal()


def on_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def split_id(text: str) -> tuple[str, str]:
    """``P12-4f2a91c0de11`` as proposal id and fingerprint; a usage error without both."""
    proposal, dash, mark = text.rpartition("-")
    if not dash or not proposal or not mark:
        raise click.UsageError(
            f"{text[:60]!r} is no proposal id with its fingerprint, such as P12-4f2a91c0de11 "
            "(see: pmconsole proposals)"
        )
    return proposal, mark


def flatten(profile: Profile, *, now: bool, urgent: bool, include_external: bool) -> None:
    """Stop everything and follow it until flat (0) or a named residue (1)."""
    with open_line(profile, f"Cancel and sell without one: {profile.command('flatten --direct')}") as line:
        sent_ns = machine_ns()
        wanted = Flatten(new_id(), now=now, sent_ns=sent_ns, include_external=include_external)
        reply = call(line, wanted)
        if not reply.accepted:
            leave(REFUSED, reply.text)
        click.echo(reply.text)
        follow_flatten(profile, line, urgent=urgent)


def follow_flatten(profile: Profile, line: Line, *, urgent: bool = False) -> None:
    """Print the running flatten's progress until flat; leaves with 1 and the residue otherwise."""
    try:
        ended = _follow(line, urgent=urgent)
    except KeyboardInterrupt:
        leave(REFUSED, "The flatten goes on in the engine; pmconsole status shows it.")
    if ended["phase"] != "FLAT":
        residue = "; ".join(ended["residue"]) or "no residue named"
        keep = f". The engine goes on and sells what it can until: {profile.command('flatten --keep')}"
        leave(REFUSED, f"{ended['phase']}: {residue}{keep if ended['watches'] else ''}")
    click.echo(ended["receipt"] or "Flat, confirmed by the venue.")


def _follow(line: Line, *, urgent: bool) -> dict[str, Any]:
    """Print what changes until the ladder is over; ``urgent`` is asked for with the first exit."""
    shown = ""
    while True:
        progress = query(line, "status")["flatten"]
        if progress is not None:
            text = answers.progress_line(progress)
            if text != shown:
                click.echo(text)
                shown = text
            if urgent and progress["phase"] == "EXITING":
                urgent = False
                click.echo(call(line, HurryExits(new_id())).text)
            if progress["phase"] in FLATTEN_OVER:
                return dict(progress)
        time.sleep(POLL_S)


RECONCILE_S = 60.0
"""A reading that takes longer than this has not ended by then."""


def reconcile(profile: Profile) -> dict[str, Any]:
    """Have the account read now; the answer of the reading that began after this was asked."""
    with open_line(profile) as line:
        before = query(line, "reconcile")["reading"]
        reply = call(line, Reconcile(new_id()))
        if not reply.accepted:
            leave(REFUSED, reply.text)
        deadline = time.monotonic() + RECONCILE_S
        while time.monotonic() < deadline:
            found = query(line, "reconcile")
            if found["reading"] > before:
                return dict(found)
            time.sleep(POLL_S)
    leave(REFUSED, f"The account has not been read within {RECONCILE_S:.0f} s; see pmconsole status.")


def show(profile: Profile, what: str, *, as_json: bool) -> None:
    """Print one query."""
    with open_line(profile) as line:
        answer = query(line, what)
        table = what in answers.COLUMNS and not as_json
        several = table and len(query(line, "status")["venues"]) > 1
    if as_json:
        click.echo(json_text(answer))
    elif what == "alarms":
        rows = [
            {
                **row,
                "seen": answers.yes(row["acknowledged"]),
                "active": answers.yes(row["active"]),
                "shelved": answers.shelved(row),
            }
            for row in answer
        ]
        for text in answers.table_lines(rows, answers.COLUMNS[what]):
            click.echo(text)
    elif what == "status":
        for text in answers.status_lines(answer):
            click.echo(text)
    else:
        for text in answers.table_lines(answer, answers.columns_of(what, answer, several=several)):
            click.echo(text)
        for text in answers.waiting_lines(answer) if what == "positions" else ():
            click.echo(text)
        for text in answers.plan_lines(answer) if what == "proposals" else ():
            click.echo(text)
