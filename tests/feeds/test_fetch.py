"""One GET: conditional requests, body checks, and every fault as a value."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from core.feeds.fetch import BODY_BYTES_MAX, REMEMBERED_URLS_MAX, Body, Failed, Fetcher, NotModified, decode

Handler = Callable[[httpx.Request], httpx.Response]
JSON = {"Content-Type": "application/json"}


def get(virtual: Any, handler: Handler, times: int = 1) -> list[Body | NotModified | Failed]:
    async def work() -> list[Body | NotModified | Failed]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            fetcher = Fetcher(client, "http://feed/", virtual.clocks(), "pmconsole/test", "application/json")
            return [await fetcher.get("/x", {"a": "1"}, conditional=True) for _ in range(times)]

    return virtual.run(work())


def test_validators_go_back_and_304_is_not_data(virtual: Any) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if "If-None-Match" in request.headers:
            return httpx.Response(304)
        return httpx.Response(200, headers=JSON | {"ETag": 'W/"7"', "Last-Modified": "then"}, content=b"{}")

    first, second = get(virtual, handler, 2)
    assert isinstance(first, Body)
    assert isinstance(second, NotModified)
    assert asked[1].headers["If-None-Match"] == 'W/"7"'
    assert asked[1].headers["If-Modified-Since"] == "then"
    assert str(asked[0].url) == "http://feed/x?a=1"
    assert asked[0].headers["User-Agent"] == "pmconsole/test"


def test_what_goes_back_is_kept_of_few_addresses(virtual: Any) -> None:
    """Of some the run or the day is a part."""
    answer = httpx.Response(200, headers=JSON | {"ETag": "1"}, content=b"{}")

    async def work() -> int:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            fetcher = Fetcher(client, "http://feed", virtual.clocks(), "pmconsole/test", "application/json")
            for number in range(REMEMBERED_URLS_MAX + 5):
                await fetcher.get(f"/{number}", conditional=True)
            return len(fetcher._validators)

    assert virtual.run(work()) <= REMEMBERED_URLS_MAX


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<html>"), "text/html"),
        (httpx.Response(200, content=b"{}"), "untyped"),
        (httpx.Response(200, headers=JSON, content=b"x" * (BODY_BYTES_MAX + 1)), "larger"),
        (httpx.Response(503), "HTTP 503"),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), "HTTP 302"),
    ],
)
def test_bodies_that_are_not_data(virtual: Any, response: httpx.Response, reason: str) -> None:
    (answer,) = get(virtual, lambda _: response)
    assert isinstance(answer, Failed)
    assert reason in answer.reason


def test_what_a_refusal_says_is_handed_on_to_its_parser(virtual: Any) -> None:
    said = b'{"error_code":"INVALID_KEY"}'
    (answer,) = get(virtual, lambda _: httpx.Response(422, headers=JSON | {"X-Left": "7"}, content=said))
    assert isinstance(answer, Failed)
    assert (answer.body, answer.headers["x-left"]) == (said, "7")
    assert "INVALID_KEY" not in answer.reason


def test_a_transport_fault_is_a_value(virtual: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused\x1b[2J", request=request)

    (answer,) = get(virtual, handler)
    assert isinstance(answer, Failed)
    assert "\x1b" not in answer.reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("999999999", 3600.0),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", None),
        ("Sun, 22 Nov 2026 06:47:10 GMT", 30.0),
        ("Mon, 22 Nov 2027 06:47:10 GMT", 3600.0),
    ],
)
def test_retry_after_in_seconds_or_as_a_date_of_real_time(
    virtual: Any, text: str, seconds: float | None
) -> None:
    (answer,) = get(virtual, lambda _: httpx.Response(429, headers={"Retry-After": text}))
    assert isinstance(answer, Failed)
    assert answer.status == 429
    assert answer.retry_after_s == seconds


def test_a_date_is_read_on_the_clock_of_who_names_it(virtual: Any) -> None:
    headers = {"Retry-After": "Sun, 22 Nov 2026 08:47:10 GMT", "Date": "Sun, 22 Nov 2026 08:46:25 GMT"}
    (answer,) = get(virtual, lambda _: httpx.Response(429, headers=headers))
    assert isinstance(answer, Failed)
    assert answer.retry_after_s == 45.0, "two hours ahead of ours, both of them"


def test_decode_names_what_is_wrong() -> None:
    class Shape(msgspec.Struct):
        n: int

    assert isinstance(decode(Body(b'{"n":1}', 0, 0), Shape), Shape)
    for data in (b"{", b'{"n":"x"}', b"\xff\xfe", b""):
        assert isinstance(decode(Body(data, 0, 0), Shape), Failed)


def test_a_deeply_nested_answer_is_a_value_too() -> None:
    data = b'{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    found = decode(Body(data, 0, 0), Shape)
    assert isinstance(found, Failed)
    assert "does not parse" in found.reason


class Shape(msgspec.Struct):
    """Skips everything: skipping nests as deep as the data."""
