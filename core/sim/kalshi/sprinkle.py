"""Fields, values and messages nobody has heard of, strewn over what is sent.

Kalshi API: schema revisions move underneath one path version, so a client must bear what it does not
know. Nothing known is changed.
"""

from __future__ import annotations

from typing import Any

import msgspec

FIELD = "x_unheard_of"
_VALUE = {"since": "tomorrow", "levels": [1, None, {"deep": "0.0001"}]}
_TAIL = b',"' + FIELD.encode() + b'":' + msgspec.json.encode(_VALUE) + b"}"

FRAME = msgspec.json.encode({"type": "tomorrows_news", "msg": _VALUE})
"""A message of an unknown type."""
EVENT_TYPE = "renamed"
REASON = "UnheardOfCancel"


def over(body: Any) -> Any:
    """An answer's body with an unknown field in every object, and an odd row at the end of some lists."""
    match body:
        case dict():
            strewn = {name: over(value) for name, value in body.items()}
            if rows := strewn.get("series"):
                odd = {"ticker": "KXUNHEARDOF", "fee_type": "cubic", "frequency": "fortnightly"}
                strewn["series"] = [*rows, {**rows[-1], **odd}] if isinstance(rows, list) else rows
            return {**strewn, FIELD: _VALUE}
        case list():
            return [over(row) for row in body]
        case _:
            return body


def onto(body: bytes) -> bytes:
    """An encoded object with one more field."""
    return body[:-1] + _TAIL
