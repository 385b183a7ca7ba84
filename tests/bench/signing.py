"""An order built, signed and written as JSON by us, against the vendor's builder that builds and signs.

Ours also applies the venue's rules for amounts and knows the order's id, which is its hash: the vendor's
``build_signed_order`` does neither.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import msgspec

from core.venues.polymarket.contracts import STANDARD
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import OwnSigner
from core.venues.polymarket.wallets import Account, SignatureType, account, funders_of
from core.venues.venue import Sealed
from tests.bench.harness import percentile
from tests.venues.polymarket.golden import KEY
from tests.venues.polymarket.orders_of import INTENT, TERMS

ORDERS = 600
ROW = 50
"""Orders of one side before it is the other's turn."""
MIN_RATIO = 8.0
"""In rows. One by one each order finds the processor's caches full of the other's code, which costs the
shorter work more: a deposit wallet's curve and hashes alone are then a tenth of the vendor's time."""
FIRST_SALT = 479_249_096_354


class _Signature(msgspec.Struct):
    signature: str


class _Body(msgspec.Struct):
    order: _Signature


class _Vendor:
    """``ExchangeOrderBuilderV2`` with the salts and amounts of our orders."""

    def __init__(self, of: Account) -> None:
        from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, OrderDataV2, Side, SignatureTypeV2
        from py_clob_client_v2.signer import Signer

        self._of, self._data, self._buy = of, OrderDataV2, Side.BUY
        self._type = SignatureTypeV2(of.signature_type.value)
        signer, salts = Signer("0x" + "11" * 32, 137), itertools.count(FIRST_SALT)
        self.builder = ExchangeOrderBuilderV2(
            STANDARD.address, 137, signer, generate_salt=lambda: str(next(salts))
        )

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
        return "\n".join([_curve(), *(_compared(kind) for kind in SignatureType)])
    except ImportError:
        return "order signing: py-clob-client-v2 is not installed, nothing to compare with (extra peers)"


def _curve() -> str:
    taken_us = [_timed(lambda: KEY.sign(b"\x55" * 32))[1] for _ in range(ORDERS)]
    return f"a signature of the curve alone, in either: {_figures(taken_us)}"


def _compared(kind: SignatureType) -> str:
    of = account(KEY.address, kind, funders_of(KEY.address)[kind][0])
    ours_us, theirs_us = _times_us(of, ROW)
    ratio, singly = (_ratio(*times) for times in ((ours_us, theirs_us), _times_us(of, 1)))
    verdict = f", BELOW the {MIN_RATIO:g}x it must reach" if ratio < MIN_RATIO else ""
    return (
        f"order of a {kind.label} built, signed and in JSON: {_figures(ours_us)}; "
        f"vendor's build_signed_order: {_figures(theirs_us)}: {ratio:.1f}x as fast{verdict}; "
        f"one by one {singly:.1f}x"
    )


def _times_us(of: Account, row: int) -> tuple[list[float], list[float]]:
    """Of our orders and the vendor's, by turns of ``row``, each pair proved one hash and one signature."""
    vendor, salts = _Vendor(of), itertools.count(FIRST_SALT)
    sealer = Sealer(OwnSigner(KEY, of), "owner", lambda: next(salts))
    ours: list[tuple[object, float]] = []
    theirs: list[tuple[object, float]] = []
    for _ in range(ORDERS // row):
        ours += [_timed(lambda: sealer.seal(INTENT, TERMS)) for _ in range(row)]
        theirs += [_timed(vendor.signed) for _ in range(row)]
    body_of = msgspec.json.Decoder(_Body)
    for (sealed, _), (signed, _) in zip(ours, theirs, strict=True):
        assert isinstance(sealed, Sealed)
        made = sealed.order_id, body_of.decode(sealed.body).order.signature
        if made != (vendor.order_id(signed), getattr(signed, "signature", "")):
            raise AssertionError(f"{of.signature_type.label}: hash or signature differ")
    return [us for _, us in ours], [us for _, us in theirs]


def _ratio(ours_us: list[float], theirs_us: list[float]) -> float:
    return percentile(theirs_us, 0.5) / percentile(ours_us, 0.5)


def _figures(taken_us: list[float]) -> str:
    return f"p50 {percentile(taken_us, 0.5):.0f} us, p99 {percentile(taken_us, 0.99):.0f} us"


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    begin = time.perf_counter_ns()
    made = work()
    return made, (time.perf_counter_ns() - begin) / 1_000
