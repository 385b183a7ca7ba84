"""Kalshi's own Python packages, the last ones published. Their models are older than today's protocol,
so what is proven is what still holds: signing, envelopes, calls whose shape did not change, and that
every order write of theirs is told that it is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("default")

T = "KXHIGHNY-26NOV23-B48.5"


def configured(package: Any, peer: Any) -> Any:
    configuration = package.Configuration(host=peer.rest)
    configuration.api_key_id, configuration.private_key_pem = peer.rsa["key_id"], peer.pem()
    return package.KalshiClient(configuration)


@pytest.fixture
def official(peer: Any) -> Iterator[Any]:
    """The synchronous package and a client for its API classes."""
    package = pytest.importorskip("kalshi_python_sync", reason="kalshi_python_sync is not installed")
    client = configured(package, peer)
    yield package, client
    client.rest_client.pool_manager.clear()


def test_the_synchronous_client_reads_what_did_not_change(official: Any) -> None:
    package, client = official
    assert package.PortfolioApi(client).get_settlements().settlements == []
    assert package.ExchangeApi(client).get_exchange_status().trading_active
    assert package.ExchangeApi(client).get_exchange_schedule().schedule.standard_hours
    series = package.MarketApi(client).get_series(series_ticker="KXHIGHNY").series
    assert (series.ticker, series.category) == ("KXHIGHNY", "Climate and Weather")


def test_the_synchronous_client_reads_the_balance(official: Any) -> None:
    package, client = official
    balance = package.PortfolioApi(client).get_balance()
    assert balance.balance > 0 and balance.portfolio_value == 0 and balance.updated_ts > 0


def test_the_synchronous_client_keeps_order_groups(official: Any) -> None:
    package, client = official
    groups = package.OrderGroupsApi(client)
    made = groups.create_order_group(contracts_limit=10).order_group_id
    assert [(g.id, g.is_auto_cancel_enabled) for g in groups.get_order_groups().order_groups] == [
        (made, True)
    ]
    assert groups.get_order_group(made).orders == []
    groups.reset_order_group(made)
    assert groups.get_order_group(made).is_auto_cancel_enabled
    groups.delete_order_group(made)
    assert groups.get_order_groups().order_groups in (None, [])
    for gone in (groups.get_order_group, groups.delete_order_group, groups.reset_order_group):
        with pytest.raises(package.exceptions.NotFoundException):
            gone(made)


def test_a_limit_no_group_can_have_is_refused(official: Any) -> None:
    package, client = official
    with pytest.raises(ValueError, match="contracts_limit"):  # its own model, before anything is sent
        package.OrderGroupsApi(client).create_order_group(contracts_limit=0)


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (lambda markets, ticker: markets.get_market(ticker=ticker), "yes_bid"),
        (lambda markets, ticker: markets.get_markets(limit=1), "yes_bid"),
        (lambda markets, ticker: markets.get_market_orderbook(ticker=ticker), "orderbook"),
    ],
)
def test_its_models_ask_for_fields_production_removed(official: Any, call: Any, missing: str) -> None:
    """What is gone since March 2026 is gone here too; the client says so in its own words."""
    package, client = official
    markets = package.MarketApi(client)
    raw = json.loads(markets.get_markets_without_preload_content(limit=1).data)
    with pytest.raises(ValueError) as refused:
        call(markets, raw["markets"][0]["ticker"])
    assert type(refused.value).__name__ == "ValidationError"
    fields = {".".join(map(str, error["loc"])) for error in refused.value.errors()}
    assert any(missing in field for field in fields), fields


def test_every_order_write_of_the_synchronous_client_is_gone(official: Any) -> None:
    package, client = official
    orders = package.OrdersApi(client)
    common = {"ticker": T, "side": "yes", "action": "buy", "count": 1, "yes_price": 45}
    for call in (
        lambda: orders.create_order(type="limit", client_order_id="x", **common),
        lambda: orders.cancel_order("6a1d"),
        lambda: orders.amend_order("6a1d", client_order_id="x", updated_client_order_id="y", **common),
        lambda: orders.batch_cancel_orders(ids=["6a1d"]),
    ):
        with pytest.raises(package.ApiException) as refused:
            call()
        assert refused.value.status == 410
        assert "deprecated_v1_order_endpoint" in refused.value.body


def test_a_wrong_key_is_refused_as_the_client_expects(peer: Any, official: Any) -> None:
    package, client = official
    client.kalshi_auth.key_id = peer.ed25519["key_id"]
    with pytest.raises(package.exceptions.UnauthorizedException) as refused:
        package.PortfolioApi(client).get_balance()
    assert "INCORRECT_API_KEY_SIGNATURE" in refused.value.body


async def test_the_asynchronous_client_signs_and_reads(peer: Any) -> None:
    package = pytest.importorskip("kalshi_python_async", reason="kalshi_python_async is not installed")
    client = configured(package, peer)
    try:
        assert (await package.PortfolioApi(client).get_settlements()).settlements == []
        assert (await package.ExchangeApi(client).get_exchange_status()).exchange_active
    finally:
        await client.close()


def test_the_generated_client_signs_pages_and_reads(peer: Any) -> None:
    package = pytest.importorskip("kalshi_py", reason="kalshi-py is not installed")
    from kalshi_py.api.portfolio import get_fills, get_orders, get_positions

    client = package.create_client(
        access_key_id=peer.rsa["key_id"], private_key_data=peer.pem(), base_url=peer.rest
    )
    with closing(client.get_httpx_client()):
        for call in (get_fills, get_orders, get_positions):
            answer = call.sync_detailed(client=client)
            assert (int(answer.status_code), answer.parsed.cursor) == (200, "")
