"""What the console and the command line say of sources in the same words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping


def named(name: str, sources: Mapping[str, str]) -> tuple[str, str]:
    """The source called that, by its own name or its label in ``sources``, whatever the case; without one
    an empty name and a sentence with the nearest."""
    called = {label.lower(): source for source, label in sources.items()}
    called |= {source: source for source in sources}
    source = called.get(name.lower(), "")
    if source:
        return source, ""
    near = difflib.get_close_matches(name.lower(), called, n=1)
    remedy = f"did you mean {called[near[0]]!r}?" if near else "pmconsole feeds lists them."
    return "", f"There is no source {name[:40]!r}: {remedy}"


def every(per: str) -> str:
    """``a minute``, ``an hour``."""
    return f"{'an' if per == 'hour' else 'a'} {per}"


def apart_word(apart_bp: float | None) -> str:
    """``0.4bp``: a distance in at most six cells."""
    if apart_bp is None:
        return ""
    return f"{apart_bp:.1f}bp" if apart_bp < 99.95 else f"{min(apart_bp, 9_999):.0f}bp"
