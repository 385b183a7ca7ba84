"""Sources from a shell: the list with and without an engine, one real question, the nearest name."""

from __future__ import annotations

import contextlib
import errno
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import paths
from core.control import protocol as p
from core.control.budgets import read_kept, write_kept
from core.feeds.budget import Kept
from core.feeds.declaration import Per
from tui.cli_confirm import game_lines, release_lines

from .conftest import Desk

FEED = {
    "feed": "METEO", "source": "open-meteo", "family": "weather", "state": "ok", "data_age_s": 5400.0,
    "stale_after_s": 43_200, "received_age_s": 1.0, "retry_in_s": None, "latency_ms": 128, "unchanged": 0,
    "apart_bp": None, "too_far": False,
    "budget": [{"per": "minute", "left": 79, "most": 100, "unit": "calls", "whole": None}], "detail": "",
}  # fmt: skip
OFF = {
    **FEED, "feed": "YAHOO", "source": "yahoo", "family": "forex", "state": "OFF", "data_age_s": None,
    "latency_ms": None, "budget": [], "detail": "Its terms. To turn it on: on = true in [feeds.yahoo].",
}  # fmt: skip
SOURCE = {
    "source": "open-meteo", "gives": "a model's temperatures", "credit": "", "costs": "", "tests": 3,
    "passed": True, "found": "It answered.", "values": [
        {"about": "EUR/USD", "said": "1.08412", "event": "", "age_s": 90.0, "stale_after_s": 60},
        {"about": "CPI", "said": "no date known", "event": "", "age_s": 5.0, "stale_after_s": None},
    ],
}  # fmt: skip


async def test_the_list_goes_by_family_and_one_without_a_live_source_says_so(desk: Desk) -> None:
    desk.answers.data["feeds"] = [FEED, OFF]
    ended = await desk.run("feeds")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "weather: 1 of 1 live"
    assert lines[1] == "  open-meteo  ok  2h of 12h  79 of 100 calls a minute left  128 ms"
    assert lines[2] == "forex: NO LIVE SOURCE"
    assert "on = true in [feeds.yahoo]" in ended.out
    assert json.loads((await desk.run("feeds", "--json")).out) == [FEED, OFF]
    desk.answers.data["feeds"] = [{**FEED, "apart_bp": 0.42}]
    assert "left  0.4bp apart  128 ms" in (await desk.run("feeds")).out
    assert "budget" in (await desk.run("feeds", "--fields")).out


async def test_what_a_source_told_is_printed_with_its_age(desk: Desk) -> None:
    desk.answers.data["source"] = SOURCE
    ended = await desk.run("feeds", "show", "open-meteo")
    assert ended.out.splitlines()[1:] == ["EUR/USD: 1.08412  2m STALE", "CPI: no date known  5s"]


async def test_a_source_is_called_by_its_name_or_its_label_and_asked_for_where_it_is_missing(
    desk: Desk,
) -> None:
    desk.answers.data["source"] = {**SOURCE, "values": []}
    for name in ("METEO", "Open-Meteo"):
        ended = await desk.run("feeds", "show", name)
        assert ended.code == 0 and "inputs of the fair values" in ended.out
    assert "told nothing yet" in (await desk.run("feeds", "show", "kraken")).out
    ended = await desk.run("feeds", "show")
    assert ended.code == 2 and "Missing argument 'NAME'" in ended.err
    assert "values" in (await desk.run("feeds", "show", "--fields")).out


async def test_releases_are_an_array_with_every_field_explained(desk: Desk) -> None:
    desk.answers.data["releases"] = []
    assert (await desk.run("feeds", "releases", "--json")).out == "[]\n"
    assert "not looked yet" in (await desk.run("feeds", "releases")).out
    assert "certainty" in (await desk.run("feeds", "releases", "--fields")).out


async def test_a_test_goes_through_the_engine_and_says_its_cost_first(desk: Desk) -> None:
    desk.answers.data["source"] = SOURCE
    asked = []

    def reply(command: p.AnyCommand) -> tuple[bool, str]:
        asked.append(command)
        desk.answers.data["source"] = {**SOURCE, "tests": 4, "passed": False, "found": "HTTP 503."}
        return True, "open-meteo is being tested."

    desk.answers.reply = reply
    ended = await desk.run("feeds", "test", "open-meteo")
    assert [type(command) for command in asked] == [p.TryFeed]
    assert asked[0].source == "open-meteo"  # type: ignore[attr-defined]
    first, last = ended.out.splitlines()
    assert "costs" in first and last == "HTTP 503." and ended.code == 1

    desk.answers.reply = lambda _: (False, "A test of open-meteo is under way.")
    ended = await desk.run("feeds", "test", "open-meteo")
    assert ended.code == 1 and "under way" in ended.out


async def test_an_unknown_source_names_the_nearest_and_asks_nothing(desk: Desk) -> None:
    ended = await desk.run("feeds", "test", "open-metoe")
    assert ended.code == 2
    assert ended.err.strip() == "There is no source 'open-metoe': did you mean 'open-meteo'?"
    assert not desk.answers.commands


async def test_without_an_engine_the_list_says_what_is_on_and_what_turns_the_rest_on(
    empty: Desk,
) -> None:
    ended = await empty.run("feeds", "--profile", "demo")
    assert ended.code == 0 and "starts with the desk" in ended.out
    heads = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert heads and all("on, NOT ASKED: no engine runs" in head for head in heads), (
        "nobody knows whether it lives"
    )
    heads = [
        line for line in (await empty.run("feeds", "--profile", "live")).out.splitlines() if line[0] != " "
    ]
    assert "sports: NO LIVE SOURCE" in heads and any(
        "weather: 1" in head and "NOT ASKED" in head for head in heads
    )
    place = paths.profile("live")
    paths.prepare(place)
    found = json.loads((await empty.run("feeds", "--profile", "live", "--json")).out)
    by_name = {row["source"]: row for row in found}
    assert by_name["open-meteo"]["state"] == "WAITING"
    off = [row for row in found if row["state"] == "OFF"]
    assert off and all("[feeds." in row["detail"] or "key" in row["detail"] for row in off)
    place.config.write_text("[feeds.opne-meteo]\non = true\n")
    ended = await empty.run("feeds", "--profile", "live")
    assert ended.code == 2 and "did you mean [feeds.open-meteo]?" in ended.err


@contextlib.contextmanager
def serving(body: bytes, kind: str) -> Iterator[tuple[str, list[str]]]:
    """A provider on loopback, and the addresses it was asked for."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_without_an_engine_a_test_asks_once_itself(
    empty: Desk,
) -> None:
    place = paths.profile("live")
    paths.prepare(place)
    with serving(b"<html>Sign in to the Wi-Fi</html>", "text/html") as (url, seen):
        place.config.write_text(f'[feeds]\nstations = ["KNYC"]\n[feeds.nws-grid]\nurls = ["{url}"]\n')
        ended = await empty.run("feeds", "test", "nws-grid", "--profile", "live")
    assert len(seen) == 1, "one question"
    assert ended.code == 1
    first, last = ended.out.splitlines()
    assert "costs" in first
    assert "text/html, not JSON" in last and "nothing that may be used" in last


async def test_a_test_counts_what_it_cost_and_says_where_that_cannot_be_kept(
    empty: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place = paths.profile("live")
    ended = await empty.run("feeds", "test", "yahoo", "--profile", "live")
    assert "Nothing was asked" in ended.out and place.directory.is_dir(), "the machine's first word with it"
    with serving(b"{}", "application/json") as (url, _):
        place.config.write_text(f'[feeds.open-meteo]\nurls = ["{url}"]\n')
        ended = await empty.run("feeds", "test", "open-meteo", "--profile", "live")
        assert ended.err == "" and "cannot be written" not in ended.out
        kept = read_kept(place.quotas, "")[0]["open-meteo"]
        assert {one.per: one.spent for one in kept}[Per.DAY] == 1
        monkeypatch.setattr(os, "fsync", full)
        ended = await empty.run("feeds", "test", "open-meteo", "--profile", "live")
    assert ended.err == "" and f"{place.quotas} cannot be written (No space left on device)" in ended.out
    assert read_kept(place.quotas, "")[0]["open-meteo"] == kept


async def test_an_off_source_is_not_asked_and_says_what_turns_it_on(empty: Desk) -> None:
    place = paths.profile("live")
    paths.prepare(place)
    place.config.write_text("[feeds.open-meteo]\non = false\n")
    ended = await empty.run("feeds", "test", "open-meteo", "--profile", "live")
    assert ended.code == 1
    assert "Nothing was asked. It is off in" in ended.out and "[feeds.open-meteo]" in ended.out


def test_the_counts_of_quotas_survive_a_restart_and_a_damaged_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "quotas.json"
    assert read_kept(path, "") == ({}, "")
    kept = {"odds": (Kept(Per.MONTH, "2026-11", 480),)}
    write_kept(path, "", kept)
    assert read_kept(path, "") == (kept, "") and path.stat().st_mode & 0o777 == 0o600
    assert read_kept(path, "another-world") == ({}, ""), "its clock is another"
    assert [one.name for one in tmp_path.iterdir()] == ["quotas.json"], "written whole, nothing left beside"
    for bad in (path.read_bytes()[:-9], b"\xff\xfe", b"[]", b'{"world":"","sources":{"x":[{"per":1}]}}'):
        path.write_bytes(bad)
        found, fault = read_kept(path, "")
        assert found == {} and str(path) in fault and "damaged" in fault
    path.write_bytes(b" " * 300_000)
    assert "too long" in read_kept(path, "")[1]


def test_releases_and_games_as_text() -> None:
    base = {"certainty": "stated", "calendar": "bls", "calendar_age_s": 7_200, "markets": 6, "detail": ""}
    clear = base | {"kind": "CPI", "state": "clear", "next_in_s": 90_000, "last_age_s": 2_000_000}
    awaited = base | {"kind": "JOBS", "state": "PENDING", "next_in_s": None, "last_age_s": 600}
    assert list(release_lines([clear, awaited])) == [
        "CPI: clear, next in 25h (stated, bls), newest calendar 2h old; moves 6 markets here",
        "JOBS: PENDING, next no date known; moves 6 markets here",
        "  due 10m ago: once it is out, pmconsole feeds confirm JOBS",
    ]
    game = {
        "ticker": "KX-1", "game": "9f2c", "home": "Boston", "away": "New York", "starts": "19:00", "team": "",
        "confirmed": False, "confidence": 0.63, "why": "both by place",
    }  # fmt: skip
    assert list(game_lines([game])) == [
        "KX-1: New York at Boston, 19:00; whose win it pays is open; likely 0.63 (both by place)",
        "  pmconsole feeds match KX-1 9f2c",
    ]
