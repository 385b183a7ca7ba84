"""``pmconsole vetoes``: what was vetoed, and what it would have made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui import verbs
from tui.cli_options import place_of, print_query, with_fields, with_profile
from tui.veto_words import Vetoes, veto_lines

if TYPE_CHECKING:
    from core.config.paths import Profile


@click.command("vetoes")
@with_fields
@with_profile
def vetoes(as_json: bool, fields: bool) -> None:
    """What was vetoed, why, and what it would have made at settlement.

    Without an engine the newest journal tells.
    """
    if fields:
        print_query("vetoes", as_json=as_json, fields=True)
        return
    told = _told(place_of())
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(veto_lines(msgspec.convert(told, Vetoes))))


def _told(place: Profile) -> Any:
    """From the engine where one runs, else from the newest journal."""
    line = verbs.line_if_any(place)
    if line is not None:
        with line:
            return verbs.query(line, "vetoes")
    from core.control.journal_record import UnreadableError, vetoes_answer

    try:
        return json.loads(vetoes_answer(place))
    except UnreadableError as error:
        verbs.leave(verbs.REFUSED, str(error))
