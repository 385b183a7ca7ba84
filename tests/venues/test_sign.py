"""Signatures verify with the public key; a bad key file gives one clear sentence and no secret."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.config.secrets import KeyFileError
from core.venues.address import VenueAddressError, check_loopback
from core.venues.kalshi.sign import load_signer

RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
SMALL_RSA = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
ED = Ed25519PrivateKey.generate()
PATH = "/trade-api/v2/portfolio/orders"
MESSAGE = f"1763769600000GET{PATH}".encode()


def pem(key: object, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes = b"") -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, locked)  # type: ignore[attr-defined]


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "key.pem"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_rsa_signs_with_pss_and_a_digest_long_salt(tmp_path: Path, form: PrivateFormat) -> None:
    signer = load_signer("key-1", key_file(tmp_path, pem(RSA, form)))
    headers = signer.headers("get", f"{PATH}?limit=5", 1_763_769_600_000)
    assert headers["KALSHI-ACCESS-KEY"] == "key-1"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1763769600000"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"])
    RSA.public_key().verify(signature, MESSAGE, pss, hashes.SHA256())


def test_ed25519_is_told_from_the_file(tmp_path: Path) -> None:
    signer = load_signer("key-2", key_file(tmp_path, pem(ED)))
    headers = signer.headers("GET", PATH, 1_763_769_600_000)
    ED.public_key().verify(base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), MESSAGE)


def test_nothing_of_the_key_shows(tmp_path: Path) -> None:
    signer = load_signer("key-id-secret", key_file(tmp_path, pem(ED)))
    assert repr(signer) == str(signer) == "KeySigner(ed25519)"


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (pem(ED), 0o640, "chmod 600"),
        (pem(ED), 0o604, "chmod 600"),
        (b"", 0o600, "no PEM private key"),
        (b"not a key \x00\xff", 0o600, "no PEM private key"),
        (pem(ED).replace(b"M", b"!", 3), 0o600, "no PEM private key"),
        (b"x" * 70_000, 0o600, "too large"),
        (pem(ED, password=b"hunter2"), 0o600, "passphrase"),
        (pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "neither RSA nor Ed25519"),
        (pem(SMALL_RSA), 0o600, "1024 bits"),
        (
            RSA.public_key().public_bytes(Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            0o600,
            "no PEM private key",
        ),
    ],
    ids=["group", "others", "empty", "noise", "torn", "huge", "locked", "curve", "short", "public"],
)
def test_a_bad_file_is_one_sentence_with_its_remedy(
    tmp_path: Path, content: bytes, mode: int, says: str
) -> None:
    path = key_file(tmp_path, content, mode)
    with pytest.raises(KeyFileError) as caught:
        load_signer("key", path)
    text = str(caught.value)
    assert says in text and str(path) in text and "\n" not in text
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_missing_and_directory_paths(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="does not exist"):
        load_signer("key", tmp_path / "none.pem")
    with pytest.raises(KeyFileError, match="directory"):
        load_signer("key", tmp_path)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/trade-api/v2", "http://[::1]:1/", "http://localhost:9", "http://127.8.0.1"],
)
def test_loopback_is_allowed(url: str) -> None:
    check_loopback(url, frozenset({"http"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://external-api.kalshi.com/trade-api/v2",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "ws://127.0.0.1/",
        "http://[::1/",
        "http://127.0.0.1:99999/",
        "http:///x",
        "",
    ],
)
def test_everything_else_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(VenueAddressError, match="venue address"):
        check_loopback(url, frozenset({"http", "https"}))
