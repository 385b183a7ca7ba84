"""The CLOB over HTTP: what is about our account carries its credentials, what is public does not.

What is written goes through ``orders.py``, ``cancels.py`` and ``heartbeat.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.venues.http import Answer, Call, Http, Paging, TransportFactory, Verdict
from core.venues.limiter import Kind, Limiter
from core.venues.polymarket.errors import Meaning, refusal
from core.venues.polymarket.l2 import RequestSigner
from core.venues.polymarket.limits import LOWEST, TIERS
from core.venues.retry import Trouble

if TYPE_CHECKING:
    import random

CLOCK_MOVED_MS: Final = 2_000
"""A refused signature whose time was this wrong is a matter of clocks, not of the key."""
TIER: Final = "poly-ratelimit-tier"
_NOT_FOR_REPEATING: Final = frozenset({400, 404, 405, 413, 422})
"""A read refused so, whatever the words, is refused again."""


class VenueHttp(Http):
    """The CLOB's lists and refusals, whoever asks."""

    PAGING = Paging("next_cursor", "next_cursor", end="LTE=")

    def venue_ms(self) -> int:
        """The venue's time as far as its answers have told it."""
        return self.clocks.wall_ms() + (self.clock_offset_ms() or 0)

    def judge(self, answer: Answer) -> Verdict:
        said = refusal(answer.status, answer.body, answer.headers)
        trouble = said.trouble
        if said.meaning is Meaning.CREDENTIAL and self._clock_moved(answer):
            trouble = Trouble.CLOCK
        elif said.meaning is Meaning.AMBIGUOUS and answer.status in _NOT_FOR_REPEATING:
            trouble = Trouble.REFUSED
        return Verdict(trouble, said.code, said.text)

    def _clock_moved(self, answer: Answer) -> bool:
        """Whether this answer's ``Date`` shows that the request was signed with a wrong time."""
        return abs((self.clock_offset_ms() or 0) - (answer.offset_ms or 0)) >= CLOCK_MOVED_MS


class ClobHttp(VenueHttp):
    """One API key's wire."""

    def __init__(
        self,
        url: str,
        signer: RequestSigner,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        on_anomaly: Callable[[str, str], None],
        on_credential: Callable[[str], None],
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
        self._tier = LOWEST

    @property
    def owner(self) -> str:
        """The API key all calls are about."""
        return self._signer.credentials.api_key

    def heed(self, call: Call, answer: Answer) -> None:
        """The tier the venue counts us in, too; one nobody knows is taken for the lowest."""
        super().heed(call, answer)
        named = clean_text(answer.headers.get(TIER, ""), 40).lower()
        if named in ("", self._tier):
            return
        self._tier = named
        if named not in TIERS:
            self.on_anomaly(
                "rate limits", f"the venue names an unknown tier, {named!r}: taken for the lowest"
            )
        tier = TIERS.get(named, TIERS[LOWEST])
        self.limiter.resize(Kind.WRITE, tier.orders)
        self.limiter.resize(Kind.CANCEL, tier.cancels)

    def headers(self, call: Call, path: str) -> dict[str, str]:
        if not call.endpoint.ours:
            return {}
        return self._signer.headers(call.endpoint.method, path, call.body, self.venue_ms() // 1_000)
