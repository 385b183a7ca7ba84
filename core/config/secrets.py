"""Private key files: read once, private to their owner, and pinned to the exchange they belong to.

A key says nothing of its own environment, so the answer is written down when the key is added
(``pmconsole key add``) and compared at every start: a production key in a play-money profile, the
other way round, or a key file that was swapped is refused before anything is signed.
Nothing here parses a key; errors never quote a file's content.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import msgspec

from core.config.paths import Environment

KEY_FILE_BYTES_MAX = 64 * 1024
_PIN_BYTES_MAX = 4 * 1024
PIN_SUFFIX = ".pin"
WALLET_VARIABLE = "PMCONSOLE_WALLET_KEY"
WEBHOOK_VARIABLE = "PMCONSOLE_WEBHOOK"
KEYRING_SERVICE = "pmconsole"


class KeyFileError(ValueError):
    """The key cannot be used. One sentence: the file, what is wrong, the remedy."""


class Pin(msgspec.Struct, frozen=True):
    """What is known of a key file without reading the key."""

    environment: Environment
    key_id: str
    """The venue's name of the key; sent with every request, no secret."""
    fingerprint: str
    """SHA-256 of the public key, hex."""
    subaccount: int = 0
    """The part of the account it trades; 0 is the primary one."""


def read_key_file(path: Path, what: str = "private key file") -> bytes:
    """The file's bytes; raises ``KeyFileError`` unless its owner alone can read it.

    ``what`` it is called there.

    A link is refused: what it points at may be changed by somebody else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyFileError(f"{what} {path} does not exist: put it there or correct its path") from None
    except OSError as error:
        if path.is_symlink():
            raise KeyFileError(f"{what} {path} is a link: name the file itself") from None
        raise KeyFileError(
            f"{what} {path} cannot be read ({error.strerror}): give its owner read permission"
        ) from None
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        os.close(descriptor)
        raise KeyFileError(f"{what} {path} is a directory: name the file itself")
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise KeyFileError(f"{what} {path} can be read by others (mode {mode:04o}): run chmod 600 {path}")
        if found.st_uid not in (0, os.geteuid()):
            raise KeyFileError(f"{what} {path} belongs to uid {found.st_uid}: use a file of your own")
        _check_folder(path, what)
        data = file.read(KEY_FILE_BYTES_MAX + 1)
    if len(data) > KEY_FILE_BYTES_MAX:
        raise KeyFileError(f"{what} {path} is too large: name the right file")
    return data


def _check_folder(path: Path, what: str) -> None:
    """A folder that others may write to lets them put another file in its place."""
    folder = path.absolute().parent
    mode = folder.stat().st_mode
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise KeyFileError(f"{what} {path} lies in a folder others can write to: run chmod go-w {folder}")


def read_wallet_key(source: str, path: Path, entry: str) -> str:
    """A wallet's private key as text, from where ``polymarket.key`` says; raises ``KeyFileError``.

    ``entry`` names it in the keyring. What was in the environment is taken out of it: processes started
    later must not inherit it.
    """
    if source == "env":
        found = os.environ.pop(WALLET_VARIABLE, "")
        if not found:
            raise KeyFileError(
                f"{WALLET_VARIABLE} is not set: export the wallet's private key in it, or set polymarket.key"
            )
        return found
    if source == "keyring":
        return from_keyring(entry, "polymarket.key")
    try:
        return read_key_file(path).decode("ascii")
    except UnicodeDecodeError:
        raise KeyFileError(
            f"private key file {path} is no text: it must hold the wallet's key as 64 hexadecimal digits"
        ) from None


def from_keyring(entry: str, setting: str) -> str:
    """A secret of the system's keyring; raises ``KeyFileError``. ``setting`` is what sends us there."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise KeyFileError(
            f'{setting} = "keyring" needs the package keyring: install pmconsole[keyring], or use "file"'
        ) from None
    try:
        found = keyring.get_password(KEYRING_SERVICE, entry)
    except KeyringError:  # its text may name what was stored
        raise KeyFileError(f"the keyring cannot be read: unlock it, or set {setting} to 'file'") from None
    if not found:
        raise KeyFileError(
            f"the keyring holds nothing for {setting}: run keyring set {KEYRING_SERVICE} {entry}"
        )
    return str(found)


def pin_path(key: Path) -> Path:
    return key.with_name(key.name + PIN_SUFFIX)


def read_pin(key: Path) -> Pin:
    """What was written down when the key was added; raises ``KeyFileError``."""
    path = pin_path(key)
    try:
        return msgspec.json.decode(path.read_bytes()[:_PIN_BYTES_MAX], type=Pin)
    except FileNotFoundError:
        raise KeyFileError(
            f"private key file {key} was never added to a profile, so its exchange is not known: "
            f"run pmconsole key add"
        ) from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise KeyFileError(f"{path} cannot be read: add the key again with pmconsole key add") from None


def store_key(key: Path, data: bytes, pin: Pin) -> None:
    """A key file and its pin, 0600 from birth, each written whole; raises ``OSError``."""
    write_private(key, data)
    write_private(pin_path(key), msgspec.json.format(msgspec.json.encode(pin)) + b"\n")


def write_private(path: Path, data: bytes) -> None:
    """A whole file, readable by its owner only, durable when this returns; raises ``OSError``."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in it are on the disk: a file that was synced may be lost without its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_pin(key: Path, fingerprint: str, environment: Environment) -> Pin:
    """The pin of a key about to be used at ``environment``; raises ``KeyFileError`` where they differ."""
    pin = read_pin(key)
    if pin.environment is not environment:
        raise KeyFileError(
            f"private key file {key} is a key of Kalshi's {pin.environment.value} exchange, and this profile "
            f"trades at {environment.value}: add the right key with pmconsole key add"
        )
    if pin.fingerprint != fingerprint:
        raise KeyFileError(
            f"private key file {key} is not the key that was added here: add it again with pmconsole key add"
        )
    return pin


def pinned_elsewhere(home: Path, fingerprint: str, environment: Environment) -> tuple[Path, Pin] | None:
    """Another profile's record that the same key belongs to another exchange."""
    for path in sorted(home.glob(f"*/keys/*{PIN_SUFFIX}")):
        key = path.with_name(path.name.removesuffix(PIN_SUFFIX))
        try:
            pin = read_pin(key)
        except KeyFileError:
            continue  # an unreadable record proves nothing about this key
        if pin.fingerprint == fingerprint and pin.environment is not environment:
            return key, pin
    return None
