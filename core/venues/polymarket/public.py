"""Reads nobody signs: Gamma, the CLOB's books and prices, the Data API, the web site."""

from __future__ import annotations

from typing import Final

from core.venues.http import Answer, Call, Http, Paging, Verdict
from core.venues.polymarket.errors import refusal
from core.venues.retry import Trouble

_UNANSWERED: Final = frozenset({408, 425})


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
        return Verdict(trouble, "", refusal(answer.status, answer.body).text)
