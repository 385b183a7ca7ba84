"""The command as a process: killed in the middle of an answer, it goes on where it was."""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

from core.config import paths
from core.control.budgets import Part, read_kept
from core.feeds.declaration import Per
from core.training.archive import Archive
from tests.training.served import Past

CHILD = """
import sys
from core.config import paths
from core.control import models_alone
from core.config.paths import Environment
from core.venues.kalshi.hosts import Addresses
models_alone.KALSHI = {Environment.PRODUCTION: Addresses(sys.argv[1], "")}
models_alone.SystemClock.wall_ms = lambda _: 1795197600000
done = models_alone.update(paths.profile("live"), 20, ["KNYC"], lambda at: None)
print(done.outcome.left, done.outcome.rows, done.spent)
"""
ANSWERED_BEFORE = 5


class Server(http.server.ThreadingHTTPServer):
    """Answers as ``Past`` does; from the sixth question on only once it may."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.past, self.reached, self.may = Past(), threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if len(self.server.past.asked) == ANSWERED_BEFORE and not self.server.may.is_set():
            self.server.reached.set()
            self.server.may.wait(20)
            return
        answer = self.server.past(httpx.Request("GET", self.server.url + self.path))
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.may.set()
            server.shutdown()
            thread.join()


def child(server: Server, home: Path) -> subprocess.Popen[str]:
    env = os.environ | {"PMCONSOLE_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    place = paths.Profile("live", tmp_path / "live")
    paths.prepare(place)
    with serving() as server:
        place.config.write_text(
            f'[feeds.open-meteo-past]\nurls = ["{server.url}"]\n[feeds.nbm]\nurls = ["{server.url}"]\n'
        )
        first = child(server, tmp_path)
        assert server.reached.wait(20), first.communicate()[1]
        os.kill(first.pid, signal.SIGKILL)
        first.communicate(timeout=10)
        assert first.returncode == -signal.SIGKILL
        held = Archive(place.training("") / "KNYC.csv", "KNYC").figures
        assert held, "what was answered is on the disk"
        server.may.set()
        out, err = child(server, tmp_path).communicate(timeout=30)
    assert out.startswith("0 "), err
    asked = [str(request.url) for request in server.past.asked]
    forecasts = [url for url in asked if "/v1/forecast" in url or "mos.py" in url]
    assert len(set(forecasts)) == len(forecasts) == 6, "five models and the guidance, each once"
    whole = Archive(place.training("") / "KNYC.csv", "KNYC").figures
    assert all(whole[key] == value for key, value in held.items())
    kept, fault = read_kept(place.quotas, "", Part.BESIDE)
    spent = {source: {one.per: one.spent for one in of}[Per.DAY] for source, of in kept.items()}
    assert not fault and spent == {"open-meteo-past": 5, "nbm": 3}, "the call that was under way left, too"
