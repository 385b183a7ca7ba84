"""``pmconsole system``: how the machinery is."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from tui.cli_options import print_query, with_fields, with_profile
from tui.system_words import System, system_lines


@click.command("system")
@with_fields
@with_profile
def system(as_json: bool, fields: bool) -> None:
    """Processes, delays, rate limits, and which dead-man layers are armed."""
    print_query("system", as_json=as_json, fields=fields, lines=_lines)


def _lines(told: Any) -> list[str]:
    return system_lines(msgspec.convert(told, System))
