"""Sending what may be sent once only, with a last look in the step before its first byte."""

from __future__ import annotations

from typing import Any

import httpx

from core.venues.faults import WIRE_FAULTS, fault_text
from core.venues.http import LAST_STEP, Answer, Call, Http
from core.venues.venue import LastCheck, NeverSent, Unresolved


class _StoppedError(Exception):
    """The last check said no; no byte has left."""


async def send_checked(
    http: Http,
    call: Call,
    last_check: LastCheck,
    timeout: httpx.Timeout,
    total_s: float,
) -> Answer | NeverSent | Unresolved:
    """Send, unless ``last_check`` stops it. ``NeverSent`` only with proof that no byte left."""
    sent = False

    async def trace(event: str, info: dict[str, Any]) -> None:
        nonlocal sent
        if event == LAST_STEP:
            stop = last_check()
            if stop is not None:
                raise _StoppedError(stop)
            sent = True

    try:
        answer = await http.send(http.general, call, timeout, total_s, trace)
    except _StoppedError as stopped:
        return NeverSent(str(stopped))
    except WIRE_FAULTS as error:
        return Unresolved(fault_text(error)) if sent else NeverSent(fault_text(error))
    if not sent:
        http.on_anomaly("last check", "the transport sent an order without announcing it")
    return answer
