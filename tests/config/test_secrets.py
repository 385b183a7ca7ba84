"""Key files are read only when they are private, and only by the exchange they were added for."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from core.config.paths import Environment
from core.config.secrets import (
    KeyFileError,
    Pin,
    check_pin,
    pin_path,
    pinned_elsewhere,
    read_key_file,
    read_pin,
    store_key,
    write_private,
)

SECRET = b"-----BEGIN PRIVATE KEY-----canary-4711-----END PRIVATE KEY-----"
PIN = Pin(Environment.PRODUCTION, "key-1", "ab" * 32)


def stored(home: Path, profile: str, pin: Pin) -> Path:
    folder = home / profile / "keys"
    folder.mkdir(parents=True, mode=0o700)
    store_key(folder / "trading.pem", SECRET, pin)
    return folder / "trading.pem"


def test_key_and_pin_are_private_from_birth_and_read_back(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    assert read_key_file(key) == SECRET and read_pin(key) == PIN
    for path in (key, pin_path(key)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in pin_path(key).read_bytes()
    assert sorted(p.name for p in key.parent.iterdir()) == ["trading.pem", "trading.pem.pin"]


def test_a_key_of_the_other_exchange_is_refused_both_ways(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    assert check_pin(key, PIN.fingerprint, Environment.PRODUCTION) == PIN
    with pytest.raises(KeyFileError, match=r"a key of Kalshi's production exchange.*trades at demo"):
        check_pin(key, PIN.fingerprint, Environment.DEMO)
    other = stored(tmp_path, "kalshi-demo", Pin(Environment.DEMO, "key-2", "cd" * 32))
    with pytest.raises(KeyFileError, match=r"a key of Kalshi's demo exchange.*trades at production"):
        check_pin(other, "cd" * 32, Environment.PRODUCTION)


def test_a_swapped_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="is not the key that was added here"):
        check_pin(stored(tmp_path, "live", PIN), "ef" * 32, Environment.PRODUCTION)


def test_a_key_without_or_with_an_unreadable_pin_is_refused(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    pin_path(key).write_bytes(b"\xff{")
    with pytest.raises(KeyFileError, match="add the key again"):
        read_pin(key)
    pin_path(key).unlink()
    with pytest.raises(KeyFileError, match="run pmconsole key add"):
        check_pin(key, PIN.fingerprint, Environment.PRODUCTION)


def test_the_same_key_in_another_profile_is_found(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    assert pinned_elsewhere(tmp_path, PIN.fingerprint, Environment.DEMO) == (key, PIN)
    assert pinned_elsewhere(tmp_path, PIN.fingerprint, Environment.PRODUCTION) is None
    assert pinned_elsewhere(tmp_path, "99" * 32, Environment.DEMO) is None


def test_a_link_and_an_open_folder_are_refused(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    link = tmp_path / "link.pem"
    link.symlink_to(key)
    with pytest.raises(KeyFileError, match="is a link"):
        read_key_file(link)
    key.parent.chmod(0o777)
    with pytest.raises(KeyFileError, match=r"others can write to: run chmod go-w"):
        read_key_file(key)


def test_no_error_quotes_the_key(tmp_path: Path) -> None:
    key = stored(tmp_path, "live", PIN)
    key.chmod(0o644)
    with pytest.raises(KeyFileError) as caught:
        read_key_file(key)
    assert "canary" not in str(caught.value) and "chmod 600" in str(caught.value)


def test_a_key_is_on_the_disk_with_its_name_before_anybody_is_told_to_delete_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, list[str]]] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, [file.name for file in tmp_path.iterdir()]))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    write_private(tmp_path / "key", SECRET)
    assert synced[0][0] == (tmp_path / "key").stat().st_ino
    assert synced[-1] == (tmp_path.stat().st_ino, ["key"]), "and its name after it"


def test_a_file_that_cannot_be_written_leaves_nothing_of_it_and_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    write_private(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, SECRET)
    assert [*tmp_path.iterdir()] == [path] and path.read_bytes() == b"old"


def test_two_threads_may_write_one_file_at_once(tmp_path: Path) -> None:
    path, wrong = tmp_path / "seen.json", list[BaseException]()

    def write(data: bytes) -> None:
        try:
            for _ in range(20):
                write_private(path, data)
        except OSError as error:
            wrong.append(error)

    threads = [threading.Thread(target=write, args=(letter * 1_000,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and path.read_bytes() in (b"a" * 1_000, b"b" * 1_000)
