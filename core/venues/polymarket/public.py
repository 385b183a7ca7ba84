"""Reads nobody signs: Gamma, the CLOB's books and prices, the Data API, the web site."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.http import Answer, Call, Http, Paging, Verdict
from core.venues.retry import Trouble
from core.venues.wire import WireError, decode

_UNANSWERED: Final = frozenset({408, 425})


class _ErrorBody(msgspec.Struct, frozen=True):
    error: object = None
    type: object = None
    message: object = None


_errors = msgspec.json.Decoder(_ErrorBody)


def error_text(body: bytes) -> str:
    """The words of an error body; of a page of the edge its beginning."""
    try:
        flat = decode(body, _errors, "error body")
    except WireError:
        return clean_text(body[:800].decode("utf-8", "replace"), 120) or "empty body"
    said = [clean_text(part, 120) for part in (flat.error, flat.type, flat.message) if isinstance(part, str)]
    return ": ".join(part for part in said if part) or "no text"


class PublicHttp(Http):
    """One root without a key."""

    PAGING = Paging(asked="after_cursor", told="next_cursor")

    def headers(self, call: Call, path: str) -> dict[str, str]:
        return {}

    def judge(self, answer: Answer) -> Verdict:
        if answer.status == 429:
            trouble = Trouble.THROTTLED
        elif answer.status >= 500 or answer.status in _UNANSWERED:
            trouble = Trouble.UNANSWERED
        else:
            trouble = Trouble.REFUSED
        return Verdict(trouble, "", error_text(answer.body))
