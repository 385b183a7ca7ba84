"""The address is a secret as a whole, and nothing that answers there has a say in anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from core.config import paths
from core.config.secrets import WEBHOOK_VARIABLE, KeyFileError, write_private
from core.config.settings import AlarmSettings
from core.control.outside import webhook
from core.control.outside.message import ACT, Who, message
from core.control.outside.webhook import Webhook, post, read_webhook, transport, webhook_or_why

PLANTED = "T0PLANTED/B0/xq7Zk9"
SAID = message(Who("live", "semi", "r1"), ACT, "lost 60 %", about="7", since_ms=1_795_377_600_000)
FILE = AlarmSettings(webhook="file")


@pytest.fixture(params=["demo", "live"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> paths.Profile:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    found = paths.profile(request.param)
    paths.prepare(found)
    return found


@pytest.mark.parametrize(
    ("url", "demo", "live"),
    [
        (f"https://hooks.example.com/services/{PLANTED}", "rings nowhere but on this machine", ""),
        (f"HTTPS://hooks.example.com/{PLANTED}", "rings nowhere but on this machine", ""),
        (f"http://127.0.0.1:8091/{PLANTED}", "", ""),
        (f"https://[::1]:8091/{PLANTED}", "", ""),
        (f"http://localhost/{PLANTED}", "", ""),
        (f"http://hooks.example.com/{PLANTED}", "rings nowhere", "only https goes beyond this machine"),
        (f"http://127.0.0.1.example.com/{PLANTED}", "rings nowhere", "only https"),
        (f"https://user:{PLANTED}@example.com/", "is no address", "is no address"),
        (f"ftp://127.0.0.1/{PLANTED}", "is no address", "is no address"),
        (f"https://127.0.0.1:0/{PLANTED}", "is no address", "is no address"),
        (f"https:///{PLANTED}", "is no address", "is no address"),
        (f"https://127.0.0.1/a b{PLANTED}", "is no address", "is no address"),
        (f"https://127.0.0.1/{PLANTED}\nHost: x", "is no address", "is no address"),
        ("https://127.0.0.1/" + PLANTED * 60, "is no address", "is no address"),
        (f"https://[::1/{PLANTED}", "is no address", "is no address"),
    ],
)
def test_only_an_address_that_nobody_reads_on_its_way_and_in_the_demo_only_this_machine(
    place: paths.Profile, url: str, demo: str, live: str
) -> None:
    write_private(place.webhook, f"{url}\n".encode())
    found, why = webhook_or_why(place, FILE)
    expected = demo if place.simulated else live
    assert (found is None) == bool(expected) and expected in why, why
    assert PLANTED not in f"{why}{found!r}"
    assert found is None or found.url == url


def test_it_comes_from_a_file_of_its_owner_or_the_environment_or_the_keyring(
    place: paths.Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1/{PLANTED}"
    assert read_webhook(place, AlarmSettings()) is None
    with pytest.raises(KeyFileError, match=r"webhook file .*webhook.url does not exist: put it there"):
        read_webhook(place, FILE)
    write_private(place.webhook, url.encode())
    place.webhook.chmod(0o640)
    with pytest.raises(KeyFileError, match="can be read by others"):
        read_webhook(place, FILE)
    place.webhook.write_bytes(b"\xff" + url.encode())
    place.webhook.chmod(0o600)
    with pytest.raises(KeyFileError, match="is no text"):
        read_webhook(place, FILE)
    monkeypatch.setenv(WEBHOOK_VARIABLE, url)
    found = read_webhook(place, AlarmSettings(webhook="env"))
    assert found is not None and found.url == url
    assert webhook_or_why(place, AlarmSettings(webhook="env"))[1].startswith(f"{WEBHOOK_VARIABLE} is not set")
    monkeypatch.setattr(webhook, "from_keyring", lambda entry, setting: f"{url}?{entry}&{setting}")
    found = read_webhook(place, AlarmSettings(webhook="keyring"))
    assert found is not None and found.url == f"{url}?webhook-{place.name}&alarms.webhook"


# --- what answers there ---------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def answering(answer: bytes, *, on: bytes = b"") -> AsyncIterator[tuple[int, list[bytes]]]:
    """A receiver here that says the same to everybody, ``on`` and on: its port, what it was sent."""
    heard: list[bytes] = []
    served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served[task] = writer
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
        )
        heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            while on:
                writer.write(on)
                await writer.drain()
                await asyncio.sleep(0.01)
            await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard
        for writer in served.values():
            writer.transport.abort()
        await asyncio.gather(*served)


def head(status: str, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode()


@pytest.mark.parametrize(
    ("answer", "endless", "said"),
    [
        (head("200 OK", "content-length: 2") + b"ok", False, ""),
        (head("204 No Content"), False, ""),
        (head("200 OK", "content-length: 1048576000"), True, ""),
        (head("200 OK", "content-encoding: gzip", "content-length: 4") + b"\xff\xff\xff\xff", False, ""),
        (head("500 Oh", "content-length: 4000000") + PLANTED.encode() * 1_000, True, "HTTP 500"),
        (
            head("404 Not Found", "content-length: 0"),
            False,
            "HTTP 404: it does not know this address any more",
        ),
        (head("200 OK", "set-cookie: a=b; Domain=.example.com", "content-length: 0"), False, ""),
        (b"nonsense " + PLANTED.encode() + b"\r\n\r\n", False, "the connection ended before the answer"),
        (head("200 OK", "x: " + "y" * 400_000), True, "the connection ended before the answer"),
    ],
)
async def test_an_answer_is_its_status_and_nothing_else(answer: bytes, endless: bool, said: str) -> None:
    network = transport()
    async with answering(answer, on=b"x" * 65_536 if endless else b"") as (port, heard):
        url = f"http://127.0.0.1:{port}/services/{PLANTED}?t=1"
        told = await post(network, Webhook(url), SAID)
        assert told == said
        (request,) = heard
        line, _, body = request.partition(b"\r\n")
        assert line == f"POST /services/{PLANTED}?t=1 HTTP/1.1".encode()
        sent = json.loads(body.rpartition(b"\r\n\r\n")[2])
        assert sent == {
            "text": "pmconsole live ACT: lost 60 %", "level": "ACT", "what": "lost 60 %", "effect": "",
            "clears": "", "since": "2026-11-22T20:00:00Z", "profile": "live", "mode": "semi", "id": "r1-7",
        }  # fmt: skip
    await network.aclose()


async def test_no_redirect_is_followed() -> None:
    network = transport()
    async with answering(head("200 OK", "content-length: 0")) as (elsewhere, lured):
        moved = head("307 Moved", f"location: http://127.0.0.1:{elsewhere}/{PLANTED}", "content-length: 0")
        async with answering(moved) as (port, heard):
            told = await post(network, Webhook(f"http://127.0.0.1:{port}/{PLANTED}"), SAID)
    assert told == "HTTP 307: it sends elsewhere, which is not followed"
    assert (len(heard), lured) == (1, [])
    await network.aclose()


async def test_what_does_not_answer_is_given_up_and_what_is_not_there_or_no_tls_is_said_in_our_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "TOTAL_S", 0.1)
    network = transport()
    async with answering(b"") as (port, _):
        assert await post(network, Webhook(f"http://127.0.0.1:{port}/{PLANTED}"), SAID) == "no answer in time"
    told = await post(network, Webhook(f"http://127.0.0.1:{port}/{PLANTED}"), SAID)
    assert told == "it cannot be reached", "its server is closed"

    async with answering(b"HTTP/1.1 200 OK\r\nx: ", on=b"y") as (port, _):
        async with asyncio.timeout(4):
            told = await post(network, Webhook(f"http://127.0.0.1:{port}/{PLANTED}"), SAID)
    assert told == "no answer in time", "each byte is one, and the whole takes too long"
    monkeypatch.setattr(webhook, "TOTAL_S", 5.0)

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 " + PLANTED.encode() + b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told = await post(network, Webhook(f"https://127.0.0.1:{port}/{PLANTED}"), SAID)
    assert told == "its certificate or its TLS is not accepted"
    await network.aclose()


async def test_whatever_a_transport_breaks_on_is_an_answer_without_the_address() -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise RuntimeError(f"cannot ask {request.url}")

    told = await post(Broken(), Webhook(f"http://127.0.0.1/{PLANTED}"), SAID)
    assert told == "the connection broke"


def test_a_message_is_no_link_no_mention_and_no_second_line() -> None:
    hostile = "<http://evil|yes> @channel `rm` \x1b[2J\u202e" + "\nApprove: /y " * 100
    said = message(Who("live", "semi", "r1"), ACT, hostile, about="7", since_ms=0)
    for text in (said.text, said.what):
        assert not set("<>@`\x1b\u202e\n") & set(text) and len(text) <= 1_300, text
