"""Whatever is sent, the venue answers: no request and no frame brings it down."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.sim.polymarket.call import FIRST_PAGE
from core.sim.polymarket.rest import ENDPOINTS
from core.sim.polymarket.stream import Channel

ODD = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["0", "-1", "1e9", "9" * 90, "\x00", "٣", "0x", "0x" + "0" * 64, "LTE=", "MA==", "true"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), ODD),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD, inner, max_size=3)),
    max_leaves=6,
)
NAMES = (
    "token_id", "side", "market", "user", "condition", "limit", "offset", "cursor", "next_cursor",
    "after_cursor", "order", "status", "asset_type", "signature_type", "before", "after", "startTs",
    "fidelity", "interval", "tag_id", "liquidity_num_min", "end_date_max", "ids", "q", "page", "sort",
    "filter_type", "filter_amount", "closed",
)  # fmt: skip
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


@QUIET
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    step=ODD.filter(bool),
    query=st.dictionaries(st.sampled_from(NAMES), ODD, max_size=4),
    body=st.one_of(st.binary(max_size=20), JSON.map(lambda value: json.dumps(value).encode())),
)
def test_every_endpoint_answers_everything(
    make_pit: Any, make_member: Any, endpoint: Any, step: str, query: dict[str, str], body: bytes
) -> None:
    ann = make_member(make_pit())
    path = endpoint.path
    while "{" in path:
        path = path[: path.index("{")] + quoted(step) + path[path.index("}") + 1 :]
    asked = "&".join(f"{name}={quoted(value)}" for name, value in query.items())
    answer = ann.call(endpoint.method, f"{path}?{asked}", body)
    assert answer.status in (200, 400, 404) or (answer.status == 401 and "/auth/" in path)
    if answer.status != 200:
        assert "error" in json.loads(answer.body) or endpoint.path == "/v1/heartbeats"


FIELDS = st.sampled_from(
    ["salt", "maker", "signer", "tokenId", "makerAmount", "takerAmount", "side", "expiration",
     "signatureType", "timestamp", "metadata", "builder", "signature"]
)  # fmt: skip


@QUIET
@given(
    changes=st.dictionaries(FIELDS, JSON, min_size=1, max_size=3),
    kind=st.sampled_from(["GTC", "GTD", "FOK", "FAK", "", None]),
)
def test_an_order_with_odd_fields_is_refused(pit: Any, ann: Any, changes: dict[str, Any], kind: Any) -> None:
    pit.venue.signers.enforced = False
    plain = ann.order("BUY", 5_200_000, 10_000_000)["order"]
    assume(any(plain[name] != value for name, value in changes.items()))
    answer = ann.post("BUY", 5_200_000, 10_000_000, kind=kind, **changes)
    assert answer.status in (400, 404)
    assert pit.exchange.open_orders(ann.key.key) == []


@QUIET
@given(st.sampled_from(list(Channel)), st.one_of(st.text(max_size=30), JSON.map(json.dumps)))
def test_every_frame_is_borne(pit: Any, channel: Channel, frame: str) -> None:
    joined = pit.join(channel)
    joined.say(frame)
    joined.say("PING")
    assert joined.closed or joined.raw()[-1] == "PONG"


def test_a_first_page_is_asked_for_or_not(pit: Any) -> None:
    assert pit.get(f"/markets?next_cursor={FIRST_PAGE}") == pit.get("/markets")
