"""Orders signed by the vendor's own code: ``signer = "sdk"``, from the extra ``[sdk]``.

Only its order builder is used, with our amounts; its client never runs. One signature takes it about ten
times as long as ours, on the engine's loop.
"""

from __future__ import annotations

from typing import Any

from core.venues.polymarket.contracts import EXCHANGES, POLYGON, Exchange
from core.venues.polymarket.sign import Order, Signed, WalletKey
from core.venues.polymarket.wallets import Account


class SdkMissingError(Exception):
    """The extra is not installed. One sentence with the remedy."""


class VendorSigner:
    """Signs with ``ExchangeOrderBuilderV2``. Raises ``SdkMissingError`` where that is not installed."""

    def __init__(self, key: WalletKey, account: Account) -> None:
        try:
            from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, OrderDataV2, SignatureTypeV2
            from py_clob_client_v2.order_utils import Side as VendorSide
            from py_clob_client_v2.signer import Signer
        except ImportError:
            raise SdkMissingError(
                'polymarket.signer = "sdk" needs the vendor\'s package: install pmconsole[sdk], or set "own"'
            ) from None
        self.account = account
        self._data, self._side = OrderDataV2, VendorSide
        self._type = SignatureTypeV2(account.signature_type.value)
        self._salt = 0
        signer = Signer("0x" + key.secret().hex(), POLYGON)
        self._builders: dict[str, Any] = {
            exchange.name: ExchangeOrderBuilderV2(
                exchange.address,
                POLYGON,
                signer,
                generate_salt=lambda: str(self._salt),
                domain_version=exchange.version,
            )
            for exchange in EXCHANGES
        }

    def sign(self, order: Order, exchange: Exchange) -> Signed:
        builder = self._builders[exchange.name]
        self._salt = order.salt
        signed = builder.build_signed_order(
            self._data(
                maker=self.account.funder,
                tokenId=order.token_id,
                makerAmount=str(order.maker_amount),
                takerAmount=str(order.taker_amount),
                side=self._side(order.side.value),
                signer=self.account.signer,
                signatureType=self._type,
                timestamp=str(order.timestamp_ms),
            )
        )
        order_hash = builder.build_order_hash(builder.build_order_typed_data(signed))
        return Signed(order_hash, signed.signature)
