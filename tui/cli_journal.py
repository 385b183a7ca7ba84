"""Verbs of the record: they read the journal's file and need no engine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.domain.units import parse_money
from tui import verbs
from tui.cli_options import Verbs, place_of, print_query, with_fields, with_profile
from tui.digest_words import Figures, away, digest_lines

if TYPE_CHECKING:
    from core.config.paths import Profile
    from core.control.queries.since import Since

_WIDTH = 100
_F = TypeVar("_F", bound=Callable[..., Any])


def _journal_file(chosen: Path | None) -> Path:
    """The named journal, or the newest of the profile."""
    if chosen is not None:
        return chosen
    found = place_of().journals()
    if not found:
        verbs.leave(verbs.REFUSED, f"There is no journal in {place_of().directory} yet.")
    return found[0]


def with_journal(function: _F) -> _F:
    option = click.option(
        "--file", "chosen", type=click.Path(path_type=Path), help="Another journal than the newest."
    )
    return option(with_profile(function))


@click.group(cls=Verbs)
def journal() -> None:
    """What was decided and done, proved by its hash chain. Works without an engine."""


@journal.command("verify")
@with_journal
def journal_verify(chosen: Path | None) -> None:
    """Check every row's hash and place: 0 sound, 1 damaged."""
    from core.journal.files import JournalError, verify

    try:
        report = verify(_journal_file(chosen))
    except JournalError as error:
        verbs.leave(verbs.REFUSED, str(error))
    click.echo("\n".join(report.lines()))
    sys.exit(verbs.DONE if report.sound else verbs.REFUSED)


@journal.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@with_journal
def journal_backup(target: Path, chosen: Path | None) -> None:
    """Copy the journal to TARGET, also while the engine runs, and check the copy from end to end."""
    from core.journal.copying import backup
    from core.journal.files import JournalError

    try:
        report = backup(_journal_file(chosen), target)
    except JournalError as error:
        verbs.leave(verbs.REFUSED, str(error))
    click.echo("\n".join(report.lines()))


@journal.command("why")
@click.argument("order")
@with_journal
def journal_why(order: str, chosen: Path | None) -> None:
    """Tell the story of ORDER, or of a card (P12): book, proposal, approval, checks, send, answer, fills."""
    from core.journal.files import JournalError
    from core.journal.why import why

    try:
        lines = why(_journal_file(chosen), order)
    except JournalError as error:
        verbs.leave(verbs.REFUSED, str(error))
    click.echo("\n".join(lines))


@journal.command("export")
@with_journal
def journal_export(chosen: Path | None) -> None:
    """Every event as one line of JSON, the chain checked on the way."""
    from core.journal.export import export
    from core.journal.files import JournalError

    try:
        for line in export(_journal_file(chosen)):
            click.echo(line)
    except JournalError as error:
        verbs.leave(verbs.REFUSED, str(error))


@click.command("since")
@with_fields
@with_profile
def since(as_json: bool, fields: bool) -> None:
    """What happened on the desk since a console in control last showed it. Works without an engine."""
    if fields:
        print_query("since", as_json=as_json, fields=True)
        return
    from core.config.seen import read_seen
    from core.control.queries.since import Since
    from core.journal.digest import read_digest
    from core.journal.files import JournalError

    place = place_of()
    seen = read_seen(place.seen)
    if seen is None:
        verbs.leave(verbs.REFUSED, f"No console has looked at this desk yet; see {place.command('status')}.")
    try:
        told = read_digest(place.journal(seen.world_id), seen.seq, {seen.who})
    except JournalError as error:
        verbs.leave(verbs.REFUSED, str(error))
    now_ms, figures = time.time_ns() // 1_000_000, _figures(place)
    if as_json:
        click.echo(_json(Since(seen, told, now_ms, *figures)))
        return
    click.echo(away(seen, now_ms))
    for text, _ in digest_lines(seen, told, figures, _WIDTH):
        click.echo(text)


def _json(found: Since) -> str:
    from core.control.queries.answers import answer_alone

    return verbs.json_text(json.loads(answer_alone("since", found)))


def _figures(place: Profile) -> Figures:
    """As the engine has them; unknown without one."""
    line = verbs.line_if_any(place)
    if line is None:
        return Figures(None, None, None)
    with line:
        status = verbs.query(line, "status")
    money = [status[name] for name in ("cash", "today_pnl", "open_pnl")]
    return Figures(*(None if text is None else parse_money(text) for text in money))
