"""``pmconsole vetoes``: what was vetoed, and what it would have made."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from tui import verbs
from tui.cli_options import print_query, with_fields, with_profile
from tui.veto_words import Vetoes, veto_lines


@click.command("vetoes")
@with_fields
@with_profile
def vetoes(as_json: bool, fields: bool) -> None:
    """What was vetoed, why, and what it would have made at settlement.

    Without an engine the newest journal tells.
    """
    print_query("vetoes", as_json=as_json, fields=fields, lines=_lines, asked=verbs.ask_or_read)


def _lines(told: Any) -> list[str]:
    return veto_lines(msgspec.convert(told, Vetoes))
