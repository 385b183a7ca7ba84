"""Conversations about sources: ask one once, now; say that the release the desk awaits has come."""

from __future__ import annotations

from core.control.protocol import ConfirmRelease, TryFeed
from tui.feed_names import named
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Make, instant


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
    source, unknown = named(name, known)
    if unknown:
        return unknown
    operator.send(TryFeed(operator.next_id(), source), f"test of {source}", now)
    return None


TALKS: dict[str, Make] = {"feeds": instant(_feeds)}
