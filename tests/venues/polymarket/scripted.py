"""The client's account on a scripted transport."""

from __future__ import annotations

import random
from email.utils import formatdate

import httpx

from core.domain.clock import Clocks
from core.venues.limiter import Capacity, Kind, Limiter
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import Credentials, RequestSigner
from tests.venues.polymarket.golden import ADDRESS, SECRET

CREDENTIALS = Credentials(ADDRESS, "0000-api-key", SECRET, "passphrase")
BUCKETS = {kind: Capacity(100, 100) for kind in Kind}


class Account:
    def __init__(self, clocks: Clocks, script: httpx.AsyncBaseTransport) -> None:
        self.anomalies: list[tuple[str, str]] = []
        self.lockouts: list[str] = []
        self.limiter = Limiter(clocks, BUCKETS)
        self.http = ClobHttp(
            "http://127.0.0.1:1",
            RequestSigner(CREDENTIALS),
            clocks=clocks,
            limiter=self.limiter,
            rng=random.Random(1),
            transports=lambda limits: script,
            on_anomaly=lambda what, detail: self.anomalies.append((what, detail)),
            on_credential=self.lockouts.append,
        )


def dated(reply: httpx.Response, wall_ms: int) -> httpx.Response:
    """The reply with the ``Date`` of a venue whose clock says ``wall_ms``."""
    reply.headers["date"] = formatdate(wall_ms / 1_000, usegmt=True)
    return reply
