"""The questions of an examination at Polymarket: each a plain function from what was read to findings.

``Incomplete`` is an answer too: what could not be read is never taken for fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.config.paths import Profile
from core.config.settings import PolymarketSettings
from core.control.doctor import questions
from core.control.doctor.findings import Finding, block, ok, warn
from core.control.doctor.questions import not_read
from core.control.signing import WalletState
from core.control.wallet import adds_wallet
from core.domain.units import Money, money_text
from core.venues.exchange import ExchangeState
from core.venues.polymarket.account import Balance
from core.venues.polymarket.contracts import EXCHANGES, V3
from core.venues.polymarket.geoblock import Geoblock
from core.venues.polymarket.heartbeat import PATH
from core.venues.polymarket.venue import ENGINE_VERSION
from core.venues.polymarket.wallets import Account, SignatureType, funders_of
from core.venues.venue import Incomplete

PAGE: Final = "https://polymarket.com/portfolio"
Funds = Mapping[SignatureType, Balance | Incomplete]


def wallet(found: WalletState) -> Finding:
    """The key, and what was written down of it."""
    if found.problem or found.account is None:
        said, _, remedy = found.problem.rpartition(": ")
        return block("wallet", said, remedy)
    traded = found.account
    kind = traded.signature_type
    return ok("wallet", f"{traded.funder}, the {kind.label} of key {traded.address}")


def markets(followed: Sequence[str], place: Profile) -> Finding:
    """What the desk looks at there."""
    if not followed:
        remedy = f'name some in {place.config}: [markets] polymarket = ["tag:weather"], or an event\'s slug'
        return warn("markets", "none of Polymarket is named: nothing is shown or traded there", remedy)
    return ok("markets", f"of Polymarket {', '.join(followed)}")


def clock(offset_ms: int | Incomplete) -> Finding:
    return questions.clock(None if isinstance(offset_ms, Incomplete) else offset_ms)


def version(found: int | Incomplete) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("engine version", found)
    if found != ENGINE_VERSION:
        said = f"the venue's engine speaks version {found}, this program {ENGINE_VERSION}"
        return block("engine version", said, "update pmconsole: orders would be refused")
    return ok("engine version", str(found))


def region(found: Geoblock | Incomplete) -> Finding:
    """The venue's own answer; there is no way around it here."""
    if isinstance(found, Incomplete):
        return not_read("region", found)
    if found.blocked:
        return block("region", str(found), "nothing can be traded there from this machine")
    return ok("region", str(found))


def api_key(found: bool | Incomplete, place: Profile) -> Finding:
    """``found``: whether the account may only reduce; any answer shows that the key is accepted."""
    if isinstance(found, Incomplete):
        remedy = f"run again once the venue answers; if it refuses the key, find it with {adds_wallet(place)}"
        return block("API key", f"not proved: {found.reason}", remedy)
    return ok("API key", "accepted; all the watchdog has of the wallet")


def standing(found: bool | Incomplete) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("account", found)
    if found:
        return block(
            "account", "the venue lets it reduce only", f"see {PAGE}: it takes no entry of this account"
        )
    return ok("account", "may open and close")


def maze(traded: Account, funds: Funds) -> Iterator[Finding]:
    """Which types this key could be, where each would keep its funds, and what the venue sees there."""
    rich = [kind for kind, found in funds.items() if isinstance(found, Balance) and found.amount]
    for kind, funders in funders_of(traded.address).items():
        check, own = f"signature type {kind.value}", kind is traded.signature_type
        found = funds[kind]
        said = f"{kind.label} {traded.funder if own else ' or '.join(funders)}: "
        if isinstance(found, Incomplete):
            if own:
                yield not_read(check, Incomplete(found.what, f"{said}{found.reason}"))
            else:
                yield ok(check, f"{said}not seen, {found.reason}")
            continue
        said += f"the venue sees {money_text(Money(found.amount))} pUSD"
        if not own:
            yield ok(check, said)
        elif found.amount or not rich:
            yield ok(check, f"{said}; this profile's")
        else:
            others = " or ".join(str(other.value) for other in rich)
            remedy = f"add the wallet again with --signature-type {others}, where the funds are"
            yield block(check, f"{said}; this profile's", remedy)


def cash(found: Balance | Incomplete, reserve: Money) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("cash", found)
    said = f"{money_text(Money(found.amount))} pUSD"
    if found.amount <= reserve:
        return block("cash", said, f"fund it: no more than the reserve of {money_text(reserve)} is there")
    return ok("cash", said)


def allowances(found: Balance | Incomplete) -> Iterator[Finding]:
    """What each exchange contract may move: given on the venue's page, never by a transaction of ours."""
    if isinstance(found, Incomplete):
        yield not_read("allowances", found)
        return
    given = {spender.lower(): amount for spender, amount in found.allowances.items()}
    for exchange in EXCHANGES:
        check, amount = f"allowance {exchange.name}", given.get(exchange.address.lower(), 0)
        named = f"exchange contract {exchange.address}"
        remedy = f"allow it on {PAGE}; pmconsole sends no transaction"
        if not amount:
            # Markets of the newer protocol are few yet: a desk without them can do its work.
            grade = warn if exchange is V3 else block
            yield grade(check, f"{named} may move none of the wallet's pUSD", remedy)
        elif amount < found.amount:
            yield warn(check, f"{named} may move {money_text(Money(amount))} pUSD of it", remedy)
        else:
            yield ok(check, f"{named} may move what is there")


def heartbeat(settings: PolymarketSettings) -> Finding:
    """Not tried: the first beat arms the switch."""
    said = f"POST {settings.heartbeat_path}, not tried: the first beat arms the dead man's switch"
    if settings.heartbeat_path != PATH:
        remedy = f"polymarket.heartbeat_path is not {PATH}: be sure the venue announced it"
        return warn("heartbeat", said, remedy)
    return ok("heartbeat", said)


def mode(found: ExchangeState | Incomplete) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("venue", found)
    if found.trading_active:
        return ok("venue", "takes orders")
    cancels = "cancels go through" if found.exchange_active else "not even cancels go through"
    return block("venue", f"{found.mode}; {cancels}", "wait until it takes orders again")
