"""Classic bugs of order handling, each as the smallest change that brings it about.

A file of ``bugs/`` says in its first line what goes wrong, for somebody who trades. ``unseen:`` and
``tests:`` follow only where the simulation cannot see the bug by nature: why, and which tests do.
Then come the changes: a path, and lines with `` `` (stays), ``-`` (goes) and ``+`` (comes) in front. The
lines that stay or go must stand in the file exactly once, so a change of the code that moves them
makes itself heard.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

BUGS = Path(__file__).with_name("bugs")


class MutantError(Exception):
    """A mutant's file cannot be read, or does not fit the code any more."""


class Change(msgspec.Struct, frozen=True):
    path: str
    before: str
    after: str


class Mutant(msgspec.Struct, frozen=True):
    name: str
    bug: str
    changes: tuple[Change, ...]
    unseen: str = ""
    tests: tuple[str, ...] = ()

    def applied(self, tree: Path) -> dict[str, str]:
        """Every changed file's text with the bug in it, by path."""
        spoiled: dict[str, str] = {}
        for change in self.changes:
            text = spoiled.get(change.path) or (tree / change.path).read_text()
            if (found := text.count(change.before)) != 1:
                raise MutantError(f"{self.name}: its lines stand {found} times in {change.path}, not once")
            spoiled[change.path] = text.replace(change.before, change.after)
        return spoiled


def read(path: Path) -> Mutant:
    """One file of ``bugs/``."""
    head, *changes = path.read_text().removesuffix("\n").split("\n\n")
    bug, *notes = head.split("\n")
    said = dict(note.split(": ", 1) for note in notes)
    return Mutant(
        path.stem,
        bug,
        tuple(_change(path.stem, block.split("\n")) for block in changes),
        said.get("unseen", ""),
        tuple(said.get("tests", "").split()),
    )


def _change(name: str, block: list[str]) -> Change:
    where, *lines = block
    if any(line[:1] not in (" ", "-", "+") for line in lines):
        raise MutantError(f"{name}: every line of a change begins with a blank, - or +")
    return Change(where, _text(lines, " -"), _text(lines, " +"))


def _text(lines: list[str], kept: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in kept)


def read_all() -> list[Mutant]:
    return [read(path) for path in sorted(BUGS.iterdir())]
