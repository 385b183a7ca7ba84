"""What the venue's refusals mean: one table over status and text, read from the top.

The venue maps texts to statuses in odd ways, so both count together; texts are compared without case, as
parts. What the table does not name proves nothing. Source: docs.polymarket.com/resources/error-codes and
the texts its users report.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.retry import Trouble
from core.venues.wire import WireError, decode


class Meaning(enum.Enum):
    REJECTED = "rejected"
    """This order cannot be had so; the next may."""
    KILLED = "killed"
    """An immediate order found nothing to match: accepted, and over."""
    STALE_TICK = "stale tick"
    """The market's tick is another one by now."""
    FUNDS = "funds"
    """Balance or allowance do not cover it, or the venue's count of them lags."""
    CONFIG = "config"
    """Our wallet, key or version is wrong: no order will do better."""
    ACCOUNT = "account"
    """The venue restricts this account; reducing may still be allowed."""
    CREDENTIAL = "credential"
    """The API key is not accepted."""
    EDGE = "edge"
    """The edge before the venue let it not through: a blocked place, mostly."""
    DUPLICATE = "duplicate"
    """This very order is known already: look it up."""
    AMBIGUOUS = "ambiguous"
    """Nothing is proved."""
    THROTTLED = "throttled"
    """Too many requests, counted before the order was read."""
    RESTARTING = "restarting"
    CANCEL_ONLY = "cancel-only"
    POST_ONLY = "post-only"
    DISABLED = "disabled"


PROOF: Final = frozenset(
    {
        Meaning.REJECTED,
        Meaning.KILLED,
        Meaning.STALE_TICK,
        Meaning.FUNDS,
        Meaning.CONFIG,
        Meaning.ACCOUNT,
        Meaning.CREDENTIAL,
        Meaning.EDGE,
        Meaning.THROTTLED,
    }
)
"""What proves that an order is not on the book. A restart or a closed mode says so only of later orders."""

_TROUBLE: Final = {
    Meaning.CREDENTIAL: Trouble.CREDENTIAL,
    Meaning.DUPLICATE: Trouble.DUPLICATE,
    Meaning.THROTTLED: Trouble.THROTTLED,
}

Row = tuple[int | None, str, Meaning, str]
"""Status (``None``: any), part of the text in lower case, what it means, our short name for it."""

TABLE: Final[tuple[Row, ...]] = (
    (None, "context canceled", Meaning.AMBIGUOUS, "context_canceled"),
    (None, "order match delayed", Meaning.AMBIGUOUS, "match_delayed"),
    (None, "duplicated", Meaning.DUPLICATE, "duplicated"),
    (401, "", Meaning.CREDENTIAL, "unauthorized"),
    (403, "", Meaning.EDGE, "forbidden"),
    (425, "", Meaning.RESTARTING, "restarting"),
    (503, "cancel-only", Meaning.CANCEL_ONLY, "cancel_only"),
    (503, "post-only mode", Meaning.POST_ONLY, "post_only_mode"),
    (503, "post_only_mode", Meaning.POST_ONLY, "post_only_mode"),
    (503, "trading is currently disabled", Meaning.DISABLED, "disabled"),
    (503, "trading is disabled", Meaning.DISABLED, "disabled"),
    (400, "invalid order payload", Meaning.CONFIG, "invalid_payload"),
    (400, "order_version_mismatch", Meaning.CONFIG, "version_mismatch"),
    (400, "order owner has to be the owner of the api key", Meaning.CONFIG, "wrong_owner"),
    (400, "order signer address has to be the address of the api key", Meaning.CONFIG, "wrong_signer"),
    (400, "invalid signature", Meaning.CONFIG, "invalid_signature"),
    (400, "maker address not allowed", Meaning.CONFIG, "wrong_wallet_type"),
    (400, "address banned", Meaning.ACCOUNT, "banned"),
    (400, "address in closed only mode", Meaning.ACCOUNT, "closed_only"),
    (400, "breaks minimum tick size rule", Meaning.STALE_TICK, "off_tick"),
    (400, "lower than the minimum", Meaning.REJECTED, "below_minimum"),
    (400, "invalid amount for a marketable buy order", Meaning.REJECTED, "below_dollar"),
    (400, "order crosses book", Meaning.REJECTED, "would_cross"),
    (400, "crosses the book", Meaning.REJECTED, "would_cross"),
    (400, "not enough balance", Meaning.FUNDS, "no_funds"),
    (400, "balance is not enough", Meaning.FUNDS, "no_funds"),
    (400, "allowance is not enough", Meaning.FUNDS, "no_allowance"),
    (400, "invalid expiration", Meaning.REJECTED, "invalid_expiration"),
    (400, "invalid amounts", Meaning.REJECTED, "invalid_amounts"),
    (400, "fok orders are fully filled or killed", Meaning.KILLED, "killed"),
    (400, "no orders found to match with fak order", Meaning.KILLED, "killed"),
    (400, "order canceled in the ctf exchange contract", Meaning.REJECTED, "canceled_on_chain"),
    (400, "not yet ready to process new orders", Meaning.REJECTED, "not_ready"),
    (400, "too many orders in payload", Meaning.REJECTED, "too_many"),
    (404, "market not found", Meaning.REJECTED, "no_market"),
    (404, "no orderbook exists", Meaning.REJECTED, "no_market"),
)

WAIT_S_MAX: Final = 3_600
COUNTED: Final = "poly-ratelimit-"
"""Headers of the limit that counts orders before they are read."""


class Refusal(msgspec.Struct, frozen=True):
    """``code`` is the table's short name, the venue's own code, or the status."""

    meaning: Meaning
    code: str
    text: str
    retry_after_s: int = 0
    """How long the venue says to wait; 0: it does not."""

    @property
    def trouble(self) -> Trouble:
        """The column of the retry table it belongs to."""
        if self.meaning in _TROUBLE:
            return _TROUBLE[self.meaning]
        return Trouble.REFUSED if self.meaning in PROOF else Trouble.UNANSWERED

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.text else self.code


class _Body(msgspec.Struct, frozen=True):
    """``error`` with a code, ``success`` with an ``errorMsg``, or the heartbeat's ``error_msg``."""

    error: object = None
    errorMsg: object = None  # noqa: N815  # the venue's spelling
    error_msg: object = None
    code: object = None
    retry_after_seconds: object = None


_bodies = msgspec.json.Decoder(_Body)


def refusal(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Refusal:
    """What an answer that is no success means."""
    try:
        read = decode(body, _bodies, "error body")
    except WireError:
        read, page = _Body(), clean_text(body[:800].decode("utf-8", "replace"), 120)
        wait_s = _wait_s(None, headers)
        return classify(status, page or "empty body", retry_after_s=wait_s, headers=headers)
    said = next((s for s in (read.error, read.errorMsg, read.error_msg) if isinstance(s, str) and s), "")
    return classify(
        status,
        clean_text(said),
        code=clean_text(read.code, 60) if isinstance(read.code, str) else "",
        retry_after_s=_wait_s(read.retry_after_seconds, headers),
        headers=headers,
    )


def _wait_s(told: object, headers: Mapping[str, str] | None) -> int:
    """What the body asks to wait, else what the ``Retry-After`` header does; no more than an hour."""
    if isinstance(told, int) and 0 < told <= WAIT_S_MAX:
        return told
    text = (headers or {}).get("retry-after", "")
    return min(WAIT_S_MAX, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def classify(
    status: int,
    text: str,
    *,
    code: str = "",
    retry_after_s: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Look a refusal up. ``code`` is the venue's own, which its text may lack."""
    if status == 429:
        counted = any(name.lower().startswith(COUNTED) for name in headers or ())
        meaning = Meaning.THROTTLED if counted else Meaning.AMBIGUOUS
        return Refusal(meaning, "throttled", text, retry_after_s)
    folded = f"{text} {code}".casefold()
    for of, part, meaning, name in TABLE:
        if of in (None, status) and part in folded:
            return Refusal(meaning, name, text, retry_after_s)
    return Refusal(Meaning.AMBIGUOUS, code or f"http_{status}", text, retry_after_s)
