"""The two calls a wallet signs itself: its API key found again, or made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from core.domain.clock import Clocks
from core.venues.endpoint import Endpoint
from core.venues.http import Answer, Call, TransportFactory
from core.venues.limiter import Kind, Limiter, Priority
from core.venues.polymarket.errors import refusal
from core.venues.polymarket.http import VenueHttp
from core.venues.polymarket.l2 import Credentials, CredentialsError
from core.venues.polymarket.sign import WalletKey, login_signature
from core.venues.retry import CallClass
from core.venues.venue import Incomplete
from core.venues.wire import WireError, decode

if TYPE_CHECKING:
    import random

DERIVE: Final = Endpoint("GET", "/auth/derive-api-key", Kind.READ, 1.0, CallClass.METADATA, ours=True)
CREATE: Final = Endpoint("POST", "/auth/api-key", Kind.READ, 1.0, CallClass.AMEND, ours=True)
NONCE: Final = 0
"""One wallet has a key for each nonce; this one is what everybody's software uses."""
_NONE_YET: Final = frozenset({400, 404})
"""Answers to the first question that mean: there is no key to be found."""

_Text = Annotated[str, Meta(min_length=1, max_length=256)]


class _Made(msgspec.Struct, frozen=True):
    apiKey: _Text  # noqa: N815  # the venue's spelling
    secret: _Text
    passphrase: _Text


_made = msgspec.json.Decoder(_Made)


class LoginHttp(VenueHttp):
    """The two calls a wallet signs itself."""

    def __init__(
        self,
        url: str,
        key: WalletKey,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        on_anomaly: Callable[[str, str], None],
    ) -> None:
        super().__init__(
            url,
            clocks=clocks,
            limiter=limiter,
            rng=rng,
            transports=transports,
            on_anomaly=on_anomaly,
            on_credential=lambda cause: on_anomaly("credential", cause),
        )
        self._key = key

    @property
    def address(self) -> str:
        return self._key.address

    def headers(self, call: Call, path: str) -> dict[str, str]:
        timestamp_s = self.venue_ms() // 1_000
        return {
            "POLY_ADDRESS": self._key.address,
            "POLY_SIGNATURE": login_signature(self._key, timestamp_s, NONCE),
            "POLY_TIMESTAMP": str(timestamp_s),
            "POLY_NONCE": str(NONCE),
        }


async def obtain(http: LoginHttp) -> Credentials | Incomplete:
    """The wallet's credentials: derived, or made where the venue knows none. Nothing is made twice."""
    found = await http.read(DERIVE, "API key", Priority.RECONCILE, accept=_NONE_YET)
    if isinstance(found, Incomplete):
        return found
    if found.status not in _NONE_YET:
        return _credentials(http.address, found)
    made = await http.ask(http.general, Call(CREATE), Priority.RECONCILE, CREATE.cost)
    if isinstance(made, str):
        return Incomplete("API key", made)
    if not 200 <= made.status < 300:
        return Incomplete("API key", f"HTTP {made.status}: {refusal(made.status, made.body)}")
    return _credentials(http.address, made)


def _credentials(address: str, answer: Answer) -> Credentials | Incomplete:
    """What the venue gave us; an answer that is no credentials is never quoted."""
    try:
        made = decode(answer.body, _made, "API key")
        return Credentials(address, made.apiKey, made.secret, made.passphrase)
    except (WireError, CredentialsError):
        return Incomplete("API key", "the venue's answer holds no usable credentials")
