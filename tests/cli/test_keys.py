"""``pmconsole key``: a key gets into a profile once, named by its exchange, and shows nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tui import front_door
from tui.cli import cli


def pem(folder: Path, name: str = "download.pem") -> Path:
    path = folder / name
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def add(file: Path, *more: str, profile: str = "live", made_at: str = "production") -> Result:
    return run(
        "key", "add", str(file), "--key-id", "1f2e-3d4c", "--made-at", made_at, "--profile", profile, *more
    )


def test_a_key_is_kept_and_shown_without_its_secret(home: Path) -> None:
    file = pem(home)
    done = add(file)
    assert done.exit_code == 0 and "Delete the copy" in done.output
    shown = run("key", "show", "--profile", "live")
    assert "1f2e-3d4c" in shown.output and "has no watchdog key" in shown.output
    assert "--made-at production --watchdog --profile live" in shown.output.replace("\n", "")
    secret = "".join(file.read_text().splitlines()[1:-1])
    assert secret not in done.output + shown.output


def test_a_key_that_takes_anothers_place_names_it(home: Path) -> None:
    first = pem(home)
    assert "replaces" not in add(first).output
    assert "replaces" not in add(first).output, "the same key again"
    done = add(pem(home, "second.pem"), "--key-id", "9f2e-3d4c")
    assert "It replaces 1f2e-3d4c, which is kept here no more: revoke that one at the venue." in done.output


def test_the_watchdog_needs_a_key_of_its_own(home: Path) -> None:
    file = pem(home)
    assert add(file).exit_code == 0
    again = add(file, "--watchdog")
    assert again.exit_code == 2 and "make a second key" in again.output
    assert add(pem(home, "second.pem"), "--watchdog").exit_code == 0
    assert "has no watchdog key" not in run("key", "show", "--profile", "live").output


@pytest.mark.parametrize(
    ("profile", "made_at", "says"),
    [
        ("live", "demo", "add it to the profile of that exchange"),
        ("kalshi-demo", "production", "add it to the profile of that exchange"),
        ("demo", "demo", "makes its own keys"),
    ],
)
def test_a_key_goes_to_the_profile_of_its_exchange(home: Path, profile: str, made_at: str, says: str) -> None:
    done = add(pem(home), profile=profile, made_at=made_at)
    assert done.exit_code == 2 and says in done.output
    assert not list((home / "home").glob("*/keys/*.pem"))


def test_one_key_cannot_be_of_two_exchanges(home: Path) -> None:
    file = pem(home)
    assert add(file).exit_code == 0
    other = add(file, profile="kalshi-demo", made_at="demo")
    assert other.exit_code == 2 and "a key of Kalshi's production exchange" in other.output


@pytest.mark.parametrize("key_id", ["", "short", "with space", "x" * 65, "\x1b[31mred-red"])
def test_a_key_id_that_is_none_is_refused(home: Path, key_id: str) -> None:
    done = run(
        "key", "add", str(pem(home)), "--key-id", key_id, "--made-at", "production", "--profile", "live"
    )
    assert done.exit_code == 2 and "is no key id" in done.output and "\x1b" not in done.output


def test_a_file_that_others_can_read_is_refused(home: Path) -> None:
    file = pem(home)
    file.chmod(0o644)
    done = add(file)
    assert done.exit_code == 2 and "chmod 600" in done.output


def test_opening_a_real_profile_without_its_key_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_door, "_check_terminal", lambda: None)
    for profile, lacks in (("kalshi-demo", "has no trading key"), ("live", "does not set order_cost_max")):
        done = run("open", "--profile", profile)
        assert done.exit_code == 2 and lacks in done.output and "Traceback" not in done.output
        refused = run("demo", "--profile", profile)
        assert refused.exit_code == 2 and f"pmconsole --profile {profile}" in refused.output


def wallet(home: Path, *more: str, kind: str = "3") -> Result:
    file = home / "exported.txt"
    file.write_text("11" * 32)
    file.chmod(0o600)
    return run("key", "add-wallet", str(file), "--signature-type", kind, "--profile", "live", *more)


def test_a_wallet_whose_parts_do_not_belong_together_is_one_sentence(home: Path) -> None:
    unnamed = wallet(home)
    assert unnamed.exit_code == 2 and "needs its funder" in unnamed.output and "11" * 32 not in unnamed.output
    foreign = wallet(home, "--funder", "0x" + "0" * 39 + "1")
    assert foreign.exit_code == 2 and "does not belong to the key of" in foreign.output
    assert wallet(home, kind="4").exit_code == 2
    assert not list((home / "home" / "live" / "keys").iterdir())
    shown = run("key", "show", "--profile", "live")
    assert "wallet    no Polymarket wallet: add one with pmconsole key add-wallet" in shown.output


def test_another_chain_is_refused_where_its_line_is(home: Path) -> None:
    config = home / "home" / "live" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[polymarket]\nchain_id = 80002\n")
    done = wallet(home)
    assert done.exit_code == 2 and "config.toml:2: polymarket.chain_id is 80002" in done.output
