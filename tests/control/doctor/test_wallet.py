"""An examination of a desk on both venues: SIM answers for Polymarket, and what blocks is named with it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from core.config.paths import Profile
from core.config.settings import PolymarketSettings
from core.control.doctor.examine import examine
from core.control.doctor.findings import Finding, Grade, Report
from core.control.doctor.report import as_data, lines
from core.control.examination import read_examination
from core.control.identity import accounts_of
from core.control.signing import add_wallet
from core.control.site import site_of
from core.control.wallet import pinned_account
from core.domain.clock import REAL_WORLD, Clocks
from core.domain.units import parse_money
from core.engine.arming import Arming, against, phrase_of
from core.sim.polymarket.modes import Mode
from core.sim.polymarket.typed_data import SignatureType as SimKind
from core.sim.polymarket.wallets import PUSD, Wallet
from core.venues.polymarket.contracts import NEG_RISK, STANDARD, V3
from tests.control.doctor.test_examine import CLOCK, HEALTHY, KEY_ID, SEAT, digest, live, serving
from tests.venues.polymarket.golden import ADDRESS, DEPOSIT_WALLET, SAFE
from tests.venues.polymarket.sim_venue import empty_venue

__all__ = ["live"]
CLOCKS = Clocks(CLOCK, REAL_WORLD)


class Both(httpx.AsyncBaseTransport):
    """Kalshi's scripted answers and SIM's Polymarket, by host."""

    def __init__(self) -> None:
        self.poly = empty_venue(CLOCKS)
        self.kalshi = HEALTHY

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host.endswith("polymarket.com"):
            return await self.poly.handle_async_request(request)
        return await serving(self.kalshi)(httpx.Limits()).handle_async_request(request)

    def hold(self, kind: SimKind, funder: str, dollars: str) -> Wallet:
        return self.poly.venue.exchange.open_wallet(funder, ADDRESS, kind, parse_money(dollars))


@pytest.fixture
async def venues(live: Profile, tmp_path: Path) -> Both:
    """Both venues, with a funded deposit wallet added to the profile."""
    made = Both()
    made.hold(SimKind.POLY_1271, DEPOSIT_WALLET, "500")
    file = tmp_path / "exported"
    file.write_text("11" * 32)
    file.chmod(0o600)
    await add_wallet(
        live,
        PolymarketSettings(),
        file,
        3,
        DEPOSIT_WALLET,
        clocks=CLOCKS,
        rng=random.Random(1),
        transports=lambda _: made,
    )
    return made


async def report(place: Profile, venues: Both) -> Report:
    return await examine(place, CLOCK, random.Random(1), SEAT, lambda _: venues)


def said(found: Report, check: str) -> str:
    return next(f.said for f in found.findings if f.name == check)


def arming(place: Profile) -> Arming:
    traded = accounts_of(site_of(place).signer, pinned_account(place))
    phrase = phrase_of(place.name, traded.names)
    return Arming(
        phrase, version("pmconsole"), traded.mark, lambda: read_examination(place.doctor), place.command()
    )


async def test_a_healthy_desk_on_both_venues_can_be_armed(live: Profile, venues: Both) -> None:
    found = await report(live, venues)
    assert found.live == (), found.live
    assert against(arming(live), digest(live), CLOCK.wall_ms()) == ""
    assert arming(live).phrase == f"arm live {KEY_ID[-4:]} {ADDRESS[-4:]}"
    assert said(found, "POLY wallet") == f"{DEPOSIT_WALLET}, the deposit wallet of key {ADDRESS}"
    assert said(found, "POLY cash") == "500.00 pUSD" and said(found, "POLY venue") == "takes orders"
    assert "KAL cash" in {f.name for f in found.findings} and "disk" in {f.name for f in found.findings}
    assert not venues.poly.venue.exchange.orders, "nothing was placed"


async def test_no_secret_is_in_what_it_says_and_keeps(live: Profile, venues: Both) -> None:
    found = await report(live, venues)
    text = "\n".join(lines(found)) + json.dumps(as_data(found)) + live.doctor.read_text()
    triple = json.loads(live.api_credentials.read_text())
    assert not any(secret in text for secret in ("11" * 32, triple["secret"], triple["passphrase"]))
    assert as_data(found)["findings"][-1]["venue"] == "POLY"  # type: ignore[index]


async def test_the_maze_of_types_is_told_with_what_the_venue_sees_in_each(
    live: Profile, venues: Both
) -> None:
    wallets = venues.poly.venue.exchange.wallets
    wallets[DEPOSIT_WALLET].held.clear()
    venues.hold(SimKind.POLY_GNOSIS_SAFE, SAFE, "52.10")
    found = await report(live, venues)
    assert said(found, "POLY signature type 2") == f"Safe {SAFE}: the venue sees 52.10 pUSD"
    assert said(found, "POLY signature type 0").startswith(f"plain key {ADDRESS}: the venue sees 0.00")
    own = next(text for text in found.live if text.startswith("POLY signature type 3"))
    assert DEPOSIT_WALLET in own and "--signature-type 2, where the funds are" in own
    assert "POLY cash" in {text.partition(":")[0] for text in found.live}


def away(venues: Both) -> None:
    venues.poly.venue.geography = type(venues.poly.venue.geography)(blocked=True, country="US", region="NY")


def closed(venues: Both) -> None:
    venues.poly.venue.exchange.wallets[DEPOSIT_WALLET].closed_only = True


def forbidden(*spenders: str) -> Callable[[Both], None]:
    def forbid(venues: Both) -> None:
        for spender in spenders:
            venues.poly.venue.exchange.wallets[DEPOSIT_WALLET].allowances[spender] = 0

    return forbid


def key_gone(venues: Both) -> None:
    for key in venues.poly.venue.keys.of(ADDRESS):
        venues.poly.venue.keys.delete(key)


def mode(wanted: Mode) -> Callable[[Both], None]:
    return lambda venues: venues.poly.venue.exchange.engine.enter(wanted)


def restart(venues: Both) -> None:
    venues.poly.venue.exchange.engine.restart(CLOCK.wall_ms(), 60_000)


def after_restart(venues: Both) -> None:
    venues.poly.venue.exchange.engine.restart(CLOCK.wall_ms() - 1_000, 1_000)


@pytest.mark.parametrize(
    ("change", "blocks", "says"),
    [
        (away, {"region"}, "does not let you trade from US NY"),
        (closed, {"account"}, "reduce only"),
        (forbidden(STANDARD.address), {"allowance standard"}, f"{STANDARD.address} may move none"),
        (forbidden(NEG_RISK.address), {"allowance neg-risk"}, "https://polymarket.com/portfolio"),
        (forbidden(V3.address), set(), ""),
        (
            key_gone,
            {"API key", "account", "cash", "allowances", "signature type 3", "venue"},
            "key add-wallet",
        ),
        (restart, {"venue"}, "the matching engine restarts; not even cancels"),
        (after_restart, {"venue"}, "post-only after a restart; cancels go through"),
        (mode(Mode.CANCEL_ONLY), {"venue"}, "cancels only; cancels go through"),
        (mode(Mode.DISABLED), {"venue"}, "trading is disabled; not even cancels"),
    ],
    ids=["away", "closed", "standard", "negrisk", "v3", "key", "restart", "post", "cancel", "disabled"],
)
async def test_each_answer_of_the_venue_can_block(
    live: Profile, venues: Both, change: Callable[[Both], None], blocks: set[str], says: str
) -> None:
    change(venues)
    found = await report(live, venues)
    assert {text.partition(":")[0] for text in found.live} == {f"POLY {check}" for check in blocks}
    assert not says or any(says in text for text in found.live), found.live
    assert bool(against(arming(live), digest(live), CLOCK.wall_ms())) is bool(blocks)


async def test_the_venue_is_made_to_look_at_the_chain_first(live: Profile, venues: Both) -> None:
    """Or what was just allowed or paid in would be called missing."""
    venues.poly.venue.exchange.wallets[DEPOSIT_WALLET].stale[PUSD] = (0, CLOCK.wall_ms() + 60_000)
    assert said(await report(live, venues), "POLY cash") == "500.00 pUSD"


async def test_a_small_allowance_deserves_a_look(live: Profile, venues: Both) -> None:
    venues.poly.venue.exchange.wallets[DEPOSIT_WALLET].allowances[V3.address] = 7_000_000
    found = await report(live, venues)
    finding = next(f for f in found.findings if f.name == "POLY allowance v3")
    assert finding.grade is Grade.WARN and "may move 7.00 pUSD" in finding.said


async def test_one_venue_is_examined_while_the_other_is_silent(
    live: Profile, venues: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.venues.http.READ_TRIES", 1)
    venues.poly.down = True
    found = await report(live, venues)
    assert found.live and all(text.startswith("POLY ") for text in found.live)
    assert said(found, "KAL venue") == "trades"
    (unproved,) = [f for f in found.findings if f.name == "POLY API key"]
    assert unproved.said.startswith("not proved: ") and unproved.remedy.startswith("run again once the venue")
    unseen = said(found, "POLY signature type 1")
    assert "not seen, " in unseen and "accepted" not in unseen, "nobody has refused it"
    venues.poly.down, venues.kalshi = False, {}
    found = await report(live, venues)
    assert found.live and all(text.startswith("KAL ") for text in found.live)
    assert said(found, "POLY venue") == "takes orders"


async def test_a_wallet_whose_key_is_gone_blocks_and_a_wallet_alone_is_examined_alone(
    live: Profile, venues: Both
) -> None:
    live.trading_key.unlink()
    live.watchdog_key.unlink()
    found = await report(live, venues)
    assert found.live == () and not any(f.check == "watchdog key" for f in found.findings)
    assert said(found, "cash") == "500.00 pUSD"
    assert said(found, "trading key") == "none was added: the desk trades on Polymarket alone"
    live.wallet_key.unlink()
    assert any(text.startswith("wallet: ") for text in (await report(live, venues)).live)


async def test_a_wallet_without_markets_is_remarked_on(live: Profile, venues: Both) -> None:
    def markets(found: Report) -> list[Finding]:
        return [f for f in found.findings if f.check == "markets"]

    (empty,) = markets(await report(live, venues))
    assert empty.grade is Grade.WARN and f'{live.config}: [markets] polymarket = ["tag:' in empty.remedy
    config, words = live.config.read_text(), '["tag:weather", "series:10192"]'
    live.config.write_text(config.replace("[markets]\n", f"[markets]\npolymarket = {words}\n"))
    (named,) = markets(await report(live, venues))
    assert (named.grade, named.said) == (Grade.OK, "of Polymarket tag:weather, series:10192")
    live.config.write_text("[markets]\n[markets]\n")
    assert markets(await report(live, venues)) == [], "what the file names is not known"


async def test_another_wallet_needs_another_examination(live: Profile, venues: Both) -> None:
    await report(live, venues)
    live.wallet.write_text(live.wallet.read_text().replace(DEPOSIT_WALLET, SAFE).replace(": 3", ": 2"))
    assert "another key" in against(arming(live), digest(live), CLOCK.wall_ms())
