"""An order built, signed and written as JSON by us, against the vendor's builder that builds and signs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import msgspec

from core.venues.polymarket.contracts import STANDARD
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import SALT_BITS, OwnSigner
from core.venues.polymarket.wallets import Account, SignatureType, account, funders_of
from core.venues.venue import Sealed
from tests.bench.harness import percentile
from tests.venues.polymarket.golden import KEY
from tests.venues.polymarket.orders_of import INTENT, TERMS

ORDERS = 400
MIN_RATIO = 8.0
"""For a plain key. With a deposit wallet the vendor leaves out most of its own typed-data code, and the
elliptic curve alone, which is the same for both, is a tenth of its time and half of ours."""


class _Body(msgspec.Struct):
    order: dict[str, object]


class _Vendor:
    """``ExchangeOrderBuilderV2`` with the salts and amounts of our orders."""

    def __init__(self, of: Account) -> None:
        from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, OrderDataV2, Side, SignatureTypeV2
        from py_clob_client_v2.signer import Signer

        self._of, self._data, self._buy = of, OrderDataV2, Side.BUY
        self._type = SignatureTypeV2(of.signature_type.value)
        self.salt = ""
        signer = Signer("0x" + "11" * 32, 137)
        self.builder = ExchangeOrderBuilderV2(STANDARD.address, 137, signer, generate_salt=lambda: self.salt)

    def signed(self) -> object:
        return self.builder.build_signed_order(
            self._data(
                maker=self._of.funder,
                tokenId=TERMS.tokens.yes,
                makerAmount="52000000",
                takerAmount="100000000",
                side=self._buy,
                signer=self._of.signer,
                signatureType=self._type,
                timestamp=str(INTENT.created_ms),
            )
        )

    def order_id(self, signed: object) -> str:
        return str(self.builder.build_order_hash(self.builder.build_order_typed_data(signed)))


def report() -> str:
    try:
        lines = [_compared(kind) for kind in (SignatureType.EOA, SignatureType.DEPOSIT_WALLET)]
    except ImportError:
        return "order signing: py-clob-client-v2 is not installed, nothing to compare with (extra peers)"
    return "\n".join(lines)


def _compared(kind: SignatureType) -> str:
    """Alternating order by order, each pair checked for one hash and one signature."""
    of = account(KEY.address, kind, funders_of(KEY.address)[kind][0])
    vendor, rng = _Vendor(of), random.Random(5)
    sealer = Sealer(OwnSigner(KEY, of), "owner", lambda: rng.getrandbits(SALT_BITS))
    body_of = msgspec.json.Decoder(_Body)
    ours_us: list[float] = []
    theirs_us: list[float] = []
    for _ in range(ORDERS):
        sealed, took_us = _timed(lambda: sealer.seal(INTENT, TERMS))
        assert isinstance(sealed, Sealed)
        ours_us.append(took_us)
        order = body_of.decode(sealed.body).order
        vendor.salt = str(order["salt"])
        signed, took_us = _timed(vendor.signed)
        theirs_us.append(took_us)
        theirs = vendor.order_id(signed), getattr(signed, "signature", "")
        if theirs != (sealed.order_id, order["signature"]):
            raise AssertionError(f"{kind.label}: hash or signature differ")
    ours, theirs_text = _figures(ours_us), _figures(theirs_us)
    ratio = percentile(theirs_us, 0.5) / percentile(ours_us, 0.5)
    short = kind is SignatureType.EOA and ratio < MIN_RATIO
    verdict = f", BELOW the {MIN_RATIO:g}x it must reach" if short else ""
    return (
        f"order of a {kind.label} built, signed and in JSON: {ours}; "
        f"vendor's build_signed_order: {theirs_text}: {ratio:.1f}x as fast{verdict}"
    )


def _figures(taken_us: list[float]) -> str:
    return f"p50 {percentile(taken_us, 0.5):.0f} us, p99 {percentile(taken_us, 0.99):.0f} us"


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    begin = time.perf_counter_ns()
    made = work()
    return made, (time.perf_counter_ns() - begin) / 1_000
