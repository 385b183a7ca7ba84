"""Answers that say no: ``{"error": text}``, with a code and a time to come back where the venue has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sim.polymarket.modes import Closed
from core.sim.polymarket.orders import Refused


class WireError(Exception):
    """A request ends here with this HTTP status and text."""

    def __init__(
        self,
        http: int,
        text: str,
        *,
        code: str = "",
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.http, self.text, self.code, self.retry_after_s = http, text, code, retry_after_s
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {"error": self.text}
        if self.code:
            found["code"] = self.code
            if self.retry_after_s is not None:
                found["retry_after_seconds"] = self.retry_after_s
        return found


INVALID_PAYLOAD = "Invalid order payload"
UNAUTHORIZED = "Unauthorized/Invalid api key"


def bad(text: str) -> WireError:
    return WireError(400, text)


def unauthorized(text: str = UNAUTHORIZED) -> WireError:
    return WireError(401, text)


def not_found(text: str) -> WireError:
    return WireError(404, text)


def no_book() -> WireError:
    return not_found("No orderbook exists for the requested token id")


def closed(why: Closed) -> WireError:
    return WireError(why.http, why.text, code=why.code, retry_after_s=why.retry_after_s)


def refused(why: Refused) -> WireError:
    return WireError(why.http, why.text)
