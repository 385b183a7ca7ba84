"""Kalshi over HTTP: every request signed, the account's own table of costs, one subaccount.

What is written goes through ``orders.py`` and ``cancels.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.domain.clock import Clocks
from core.venues.endpoint import Endpoint
from core.venues.http import Answer, Call, Http, Paging, Query, TransportFactory, Verdict
from core.venues.kalshi.answers import refusal, trouble_of
from core.venues.kalshi.endpoints import Costs
from core.venues.kalshi.sign import Signer
from core.venues.limiter import Limiter

if TYPE_CHECKING:
    import random


class KalshiHttp(Http):
    """One account's wire."""

    PAGING = Paging("cursor", "cursor")

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        on_anomaly: Callable[[str, str], None],
        on_credential: Callable[[str], None],
        subaccount: int = 0,
    ) -> None:
        super().__init__(
            url,
            clocks=clocks,
            limiter=limiter,
            rng=rng,
            transports=transports,
            on_anomaly=on_anomaly,
            on_credential=on_credential,
        )
        self._signer = signer
        self.costs = Costs()
        self.subaccount = subaccount
        """The part of the account all calls are about: 0 is the primary one."""

    def headers(self, call: Call, path: str) -> dict[str, str]:
        return self._signer.headers(call.endpoint.method, path, self.clocks.wall_ms())

    def judge(self, answer: Answer) -> Verdict:
        said = refusal(answer.body)
        return Verdict(trouble_of(answer.status, said), said.code, said.text)

    def query(self, call: Call) -> Query:
        return {**call.query, "subaccount": self.subaccount} if call.endpoint.ours else call.query

    def cost(self, endpoint: Endpoint) -> float:
        return self.costs.of(endpoint)
