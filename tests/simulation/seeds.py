"""Seeds that once broke a promise, replayed by the suite while they catch what they caught."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.run import Script

SEEDS = Path(__file__).with_name("seeds.txt")
"""One run a line: ``seed seconds kinds-left-out kills # what broke``; ``-`` stands for no kind."""


def kept() -> list[Script]:
    """Every run of the file."""
    return parsed(SEEDS.read_text())


def parsed(text: str) -> list[Script]:
    """Runs, one a line; what follows ``#`` is a remark."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [_script(*words) for words in lines if words]


def _script(seed: str, seconds: str, without: str, kills: str) -> Script:
    kinds = () if without == "-" else tuple(without.split(","))
    return Script(int(seed), int(seconds), without=kinds, kills=kills == "kills")


def as_line(script: Script, what: str) -> str:
    """A run as the file keeps it."""
    kills = "kills" if script.kills else "lives"
    return f"{script.seed} {script.length_s} {','.join(script.without) or '-'} {kills} # {what}"
