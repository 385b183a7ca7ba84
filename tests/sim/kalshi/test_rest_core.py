"""REST without a server: what a request is matched to, and what comes back as plain values."""

from __future__ import annotations

import json

import pytest

from core.sim.kalshi.auth import KeyRegistry
from core.sim.kalshi.call import Venue
from core.sim.kalshi.limits import Limiter
from core.sim.kalshi.rest import BODY_BYTES_MAX, Rest
from core.sim.requests import Query

ROOT = "/trade-api/v2"
T = "KXHIGHNY-26NOV23-B48.5"


@pytest.fixture
def rest(floor, desk):
    return Rest(Venue(floor.exchange, KeyRegistry(), floor.clock, desk.faults, Limiter(floor.clock)))


def test_the_most_specific_path_answers_and_steps_are_decoded(rest):
    def ask(path, query=""):
        return rest.handle("GET", ROOT + path, query, {}, b"")

    one = ask("/markets/KXHIGHNY%2D26NOV23-B48.5")
    assert json.loads(one.body)["market"]["ticker"] == T
    many = ask("/markets/orderbooks", f"tickers={T}&tickers=KXHIGHNY-26NOV23-T50")
    assert len(json.loads(many.body)["orderbooks"]) == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{ROOT}/nowhere", 404, "not_found"),
        ("GET", f"{ROOT}/markets//orderbook", 404, "not_found"),
        ("GET", "/markets", 404, "not_found"),
        ("PUT", f"{ROOT}/markets", 405, "method_not_allowed"),
        ("GET", f"{ROOT}/portfolio/balance", 401, "authentication_error"),
        ("POST", f"{ROOT}/portfolio/events/orders", 413, "body_too_large"),
    ],
)
def test_what_is_not_served_is_said_in_the_nested_form(rest, method, path, status, code):
    body = b" " * (BODY_BYTES_MAX + 1) if status == 413 else b""
    answer = rest.handle(method, path, "", {}, body)
    assert (answer.status, json.loads(answer.body)["error"]["code"], answer.lost) == (status, code, False)


def test_of_a_repeated_parameter_the_last_value_counts():
    query = Query("limit=1&limit=2&cursor=&ticker=A%2CB&ticker=C+D")
    assert (query.get("limit"), query.get("cursor"), query.get("other")) == ("2", "", None)
    assert (query.getlist("ticker"), query.getlist("other")) == (["A,B", "C D"], [])
    assert "cursor" in query and "other" not in query
