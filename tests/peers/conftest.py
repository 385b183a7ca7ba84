"""The simulator as its own process, in front of clients that other people wrote."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class Peer:
    """Where SIM answers, and with which keys. ``ticker`` names a market with both sides quoted."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.rest, self.ws = ready["kalshi"]["rest"], ready["kalshi"]["ws"]
        self.polymarket: dict[str, Any] = ready["polymarket"]
        keys = ready["kalshi"]["keys"]
        self.rsa = next(key for key in keys if key["type"] == "rsa")
        self.ed25519 = next(key for key in keys if key["type"] == "ed25519")

    def pem(self) -> str:
        """The RSA key; no client known here signs with another kind."""
        return Path(self.rsa["private_key_path"]).read_text()

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Signed by hand with the Ed25519 key, as the documentation describes it."""
        stamp = str(int(time.time() * 1000))
        private = load_pem_private_key(Path(self.ed25519["private_key_path"]).read_bytes(), None)
        assert isinstance(private, Ed25519PrivateKey)
        return {
            "KALSHI-ACCESS-KEY": self.ed25519["key_id"],
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(
                private.sign(f"{stamp}{method}{path}".encode())
            ).decode(),
        }


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Books that stand still, so that what a client reads is what it finds when it trades."""
    log = tmp_path_factory.mktemp("sim") / "stderr"
    command = [sys.executable, "-m", "tui.cli", "sim", "--scenario", "quiet", "--speed", "144", "--seed", "3"]
    # What a peer's packages bring along must not reach SIM.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, cwd=Path(__file__).parents[2], env=inherited
        ) as sim,
    ):
        assert sim.stdout is not None
        try:
            line = sim.stdout.readline()
            assert line, log.read_text()
            yield Peer(json.loads(line))
        finally:
            sim.terminate()
            sim.wait(10)
    assert log.read_text() == ""
