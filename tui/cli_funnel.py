"""``pmconsole funnel``: how far each market gets on its way to a proposal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from tui.cli_options import print_query, with_fields, with_profile


@click.command("funnel")
@with_fields
@with_profile
def funnel(as_json: bool, fields: bool) -> None:
    """How far each market gets on its way to a proposal, and what stops the others, most first."""
    print_query("funnel", as_json=as_json, fields=fields, lines=funnel_lines)


def funnel_lines(stages: Iterable[Any]) -> list[str]:
    """A line a stage, and one a reason with its first market."""
    lines = []
    for stage in stages:
        lines.append(f"{stage['stage']:<9} {stage['reached']:>5} came so far, {stage['here']} no further")
        for reason in stage["reasons"]:
            first = reason["examples"][0] if reason["examples"] else ""
            lines.append(f"  {reason['markets']:>5}  {reason['why']}  ({first})")
    return lines
