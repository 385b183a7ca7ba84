"""Conversations about sources: ask one once, now; say that the release the desk awaits has come."""

from __future__ import annotations

import difflib

from core.control.protocol import ConfirmRelease, TryFeed
from tui.operator import Operator
from tui.talks import Make, instant
from tui.view_model import Now


def _feeds(operator: Operator, now: Now, rest: str) -> str | None:
    verb, _, name = rest.partition(" ")
    name = name.strip()
    if verb == "confirm" and name:
        operator.send(ConfirmRelease(operator.next_id(), name), f"{name.upper()} is out", now)
        return None
    if verb != "test" or not name:
        return "usage: feeds [test NAME | confirm KIND]"
    status = operator.view.status
    known = {feed.source: feed.name for feed in status.feeds} if status is not None else {}
    source = next((source for source, label in known.items() if label.lower() == name.lower()), name)
    if source not in known:
        near = difflib.get_close_matches(name, known, n=1)
        return f"there is no source {name[:30]!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    operator.send(TryFeed(operator.next_id(), source), f"test of {source}", now)
    return None


TALKS: dict[str, Make] = {"feeds": instant(_feeds)}
