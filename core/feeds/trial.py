"""One real question to a source because an operator wants to know, and what came of it in words."""

from __future__ import annotations

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Probe
from core.feeds.feed import Tried
from core.feeds.fetch import Body, Failed, NotModified

SAID_BYTES = 160
"""Of an odd answer that are shown."""


def price_of(of: Declaration) -> str:
    """What a test of the source asks and what that costs, before it is asked."""
    if of.every_s == 0 and not of.urls:
        return (
            "Nothing is spent: the venue is asked on the account's connection what it lists, and its next "
            "value is waited for; without an engine a connection is opened for it."
        )
    if of.every_s == 0 and of.probe is None:
        return "Nothing is asked and nothing is spent: the next message of its connection is waited for."
    if not of.urls:
        return "Nobody is asked and nothing is spent: a file is read."
    unit = of.quotas[0].unit if of.quotas else "calls"
    if of.probe is not None:
        cost = f"{of.probe.cost} {unit}" if of.probe.cost != 1 else f"1 {unit.removesuffix('s')}"
        return f"One request, {of.probe.asks}: it costs {cost if of.probe.cost else 'nothing'}."
    return f"One ordinary question for its first place: it costs the {unit} such a turn takes."


def answered(answer: Body | NotModified | Failed, probe: Probe) -> Tried:
    """A probe's answer."""
    if isinstance(answer, Failed):
        return failed(answer)
    if isinstance(answer, NotModified):
        return Tried(True, "It answered that nothing has changed.")
    if probe.holds not in answer.data:
        said = clean_text(answer.data[:SAID_BYTES].decode(errors="replace"), SAID_BYTES)
        return Tried(False, f"It answered, but not what it was asked: {said or 'nothing'}.")
    kind = answer.headers.get("content-type", "no type").partition(";")[0]
    return Tried(True, f"It answered in {answer.latency_ms} ms: {len(answer.data)} bytes of {kind}.")


def failed(failure: Failed) -> Tried:
    """What went wrong, what that means, and what helps."""
    return Tried(False, f"{failure.reason[:1].upper()}{failure.reason[1:]}. {_meaning(failure)}")


def _meaning(failure: Failed) -> str:
    if failure.spent:
        wait = "" if failure.retry_after_s is None else f" It can be asked in {failure.retry_after_s:.0f} s."
        return f"Nothing was asked.{wait}"
    if failure.key_refused:
        return "The provider takes no questions with this key: configure another one and restart the engine."
    if failure.status == 429:
        return "It is asked too often; the feed slows down by itself."
    if failure.status >= 500:
        return "That is the provider's own trouble; it is asked again by itself."
    if failure.status == 200:
        return "It answered, but with nothing that may be used."
    if failure.status:
        return "The provider refuses the question: it may have changed its service or its terms."
    return "No answer came: the network, the address or the provider is down."
