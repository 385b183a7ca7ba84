"""API credentials and the headers they sign a request with (HMAC over its exact bytes)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec


class CredentialsError(ValueError):
    """API credentials that cannot be used. One sentence that quotes no secret."""


class Credentials(msgspec.Struct, frozen=True):
    """An API key of one wallet. It cancels and reads, and orders need it; it cannot sign an order."""

    address: str
    """The wallet key's own address, whatever holds the funds."""
    api_key: str
    secret: str
    passphrase: str

    def __post_init__(self) -> None:
        try:
            base64.b64decode(self.secret.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise CredentialsError(
                "the API secret is not base64 text: find the API key again with pmconsole key add-wallet"
            ) from None
        if not all(part.isascii() and part.isprintable() for part in (self.api_key, self.passphrase)):
            raise CredentialsError(
                "API key or passphrase is not plain text: find them again with pmconsole key add-wallet"
            )

    def __repr__(self) -> str:
        return f"Credentials({self.address}, {self.api_key})"


class RequestSigner:
    """Signs requests with one set of credentials."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._secret = base64.urlsafe_b64decode(credentials.secret)

    def headers(self, method: str, path: str, body: bytes, timestamp_s: int) -> dict[str, str]:
        """``path`` is without a query; ``body`` is what is sent, to the byte."""
        message = f"{timestamp_s}{method}{path}".encode() + body
        signature = hmac.digest(self._secret, message, hashlib.sha256)
        return {
            "POLY_ADDRESS": self.credentials.address,
            "POLY_SIGNATURE": base64.urlsafe_b64encode(signature).decode(),
            "POLY_TIMESTAMP": str(timestamp_s),
            "POLY_API_KEY": self.credentials.api_key,
            "POLY_PASSPHRASE": self.credentials.passphrase,
        }
