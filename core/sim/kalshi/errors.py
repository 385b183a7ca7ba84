"""Error answers in the nested form Kalshi sends, whatever its specification draws."""

from __future__ import annotations

import msgspec

from core.sim.orders import Refused


class WireError(Exception):
    """A request ends here with this HTTP status and error code."""

    def __init__(self, http: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.http, self.code, self.message, self.details = http, code, message, details


TOO_MANY_REQUESTS = b'{"error":"too many requests"}'
"""Status 429 carries this body, and no header that says when to come back."""


def fields(error: WireError | Refused) -> dict[str, str]:
    """code, message and (where there is one) details."""
    found = {"code": error.code, "message": error.message}
    if error.details:
        found["details"] = error.details
    return found


def body(error: WireError | Refused) -> bytes:
    return msgspec.json.encode({"error": fields(error)})


def invalid_parameter(details: str) -> WireError:
    return WireError(400, "invalid_parameter", "invalid parameter", details)


def forbidden(sentence: str) -> WireError:
    return WireError(403, "forbidden", sentence)


def not_found(what: str) -> WireError:
    return WireError(404, "not_found", f"{what} not found")
