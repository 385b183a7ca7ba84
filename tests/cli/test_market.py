"""One market and what its event comes to, from a shell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.control.test_queries import STATIC, ask

from .conftest import Desk

HIGH = {"label": "NYC hi Nov23 48-49", "ticker": STATIC.ticker, "event": STATIC.event}
NEXT = {"label": "NYC hi Nov23 50-51", "ticker": "KXHIGHNY-26NOV23-B50.5", "event": STATIC.event}
SPX = {"label": "SPX > 6900", "ticker": "spx-above-6900", "event": "spx"}
LOW = {"label": "SPX > 690", "ticker": "spx-above-690", "event": "spx"}


@pytest.fixture
def listed(desk: Desk) -> Desk:
    desk.answers.data["markets"] = [HIGH, NEXT, SPX, LOW]
    desk.answers.data |= {what: ask(what) for what in ("market", "payoff", "history")}
    return desk


async def market(desk: Desk, **changes: Any) -> list[str]:
    told: Any = ask("market")
    desk.answers.data["market"] = told | changes
    ended = await desk.run("market", STATIC.ticker)
    assert (ended.code, ended.err) == (0, "")
    return ended.out.splitlines()


@pytest.mark.parametrize("name", [("nyc", "48-49"), ("NYC hi Nov23 48-49",), (STATIC.ticker.lower(),)])
async def test_a_market_is_found_by_any_part_of_its_name(listed: Desk, name: tuple[str, ...]) -> None:
    ended = await listed.run("market", *name, "--json")
    assert (ended.code, json.loads(ended.out)) == (0, ask("market"))
    assert listed.answers.asked[-1] == ("market", STATIC.ticker)


@pytest.mark.parametrize("verb", ["market", "history", "payoff"])
async def test_a_name_of_none_or_of_several_is_one_sentence(listed: Desk, verb: str) -> None:
    none = await listed.run(verb, "boston", "--profile", "demo")
    assert (none.code, none.out) == (1, "")
    assert none.err == "No market has 'boston' in its name; pmconsole markets lists them.\n"
    several = await listed.run(verb, "0")  # of two events
    assert several.code == 1 and several.err.startswith(
        "3 markets are like '0': NYC hi Nov23 50-51  SPX > 6900  SPX > 690; "
    )
    listed.answers.data["markets"] = [HIGH, {**HIGH, "ticker": "slug", "event": "other"}]
    twins = await listed.run(verb, HIGH["label"])
    assert f"{STATIC.ticker}  slug; " in twins.err, "alike in their labels"
    listed.answers.data["markets"] = [HIGH, NEXT, SPX, LOW]
    assert "market" not in {what for what, _ in listed.answers.asked}
    assert (await listed.run("market", "spx > 690")).code == 0, "the whole of a name is its own"
    assert listed.answers.asked[-1] == ("market", "spx-above-690")
    unnamed = await listed.run(verb)
    assert unnamed.code == 2 and "Missing argument 'NAME'" in unnamed.err


async def test_a_market_is_told_as_its_screen_tells_it(listed: Desk) -> None:
    lines = await market(listed)
    assert lines[0] == f"NYC hi Nov23 48-49  {STATIC.ticker}  kalshi  active"
    text = "\n".join(lines)
    for part in (
        "book 1s old\n  bid_size     bid     ask  ask_size\n     50.50  0.4200  0.4400      1.00\n",
        "fair 0.4412 +/- 0.0290",
        "edge -0.0012\nstage edge: too good to be true",
        "quarantined, edge 21.4c is too good: BUY NO @ 0.5500 post-only would bring 0.2140 a contract",
        "if that holds, order asks for it by hand\n",
        "\nmodel weather emos-t 1: mean 48.25, spread 2.4, so far 47",
        "METEO  8m of 12h\n",
        "NYC hi Nov23 48-49  0.4500  --    0.4412  0.0290  -0.0012",
        "position\n    net  average",
        "-5.00   0.5800",
        "pm-1  buy YES  0.4450",
        "settles: Central Park KNYC",
        "rules: If the high",
        "2023-11-14T22:13:20.000Z  BUY   3.00 @ 0.4400",
    ):
        assert part in text, part
    assert text.count("high 51.3F") == 1


async def test_what_a_market_has_not_is_said(listed: Desk) -> None:
    told: Any = ask("market")
    bare = {"quarantine": None, "position": None, "orders": [], "trades": [], "intact": False}
    none = {"bids": [], "asks": [], "listed": {**told["listed"], "fair": None, "edge": None}}
    text = "\n".join(await market(listed, **bare, **none, model={**told["model"], "refusal": "NWS is late"}))
    for part in (
        "book 1s old, not vouched for\nfair --\nedge --\n",
        "model: NWS is late\nposition none\norders none\n",
        "trades none seen yet",
    ):
        assert part in text, part
    assert "quarantined" not in text
    assert "model: none for this market, prices only" in await market(listed, model=None)
    late = [{"name": "NWS", "age_s": 7201.0, "stale_after_s": 7200}]
    assert "  NWS  2h of 2h  STALE" in await market(listed, model={**told["model"], "inputs": late})


async def test_what_a_market_was_is_told_with_our_fills(listed: Desk) -> None:
    ended = await listed.run("history", "nyc", "48-49")
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            STATIC.ticker,
            "  time                         bid  ask    fair  sigma",
            "  2023-11-14T22:13:20.000Z  0.4200  --   0.4412  --",
            "our fills",
            "  2023-11-14T22:13:20.000Z  SELL  5.00 @ 0.4200",
        ],
    )
    (point,) = listed.answers.data["history"]["points"]
    points = [{**point, "bid": f"0.{cents}00"} for cents in range(10, 40)]
    listed.answers.data["history"] |= {"points": points, "fills": []}
    lines = (await listed.run("history", "nyc", "48-49")).out.splitlines()
    assert (len(lines), "0.2000" in lines[2], "0.3900" in lines[-2]) == (23, True, True)
    assert lines[-1] == "our fills none"
    assert len(json.loads((await listed.run("history", "nyc", "48-49", "--json")).out)["points"]) == 30


async def test_an_event_is_told_outcome_by_outcome(listed: Desk) -> None:
    ended = await listed.run("payoff", "nyc")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{STATIC.event_label} ends with",
        "  outcome    made",
        "  48-49     14.05",
        "  none     -25.60",
        "realised 0.29  fees 0.24",
    ]
    assert json.loads((await listed.run("payoff", "nyc", "--json")).out) == ask("payoff")
    made = [{"label": "48-49", "made": "20.00"}, {"label": "none", "made": "-30.00"}]
    listed.answers.data["payoff"] = {**listed.answers.data["payoff"], "ordered": made}
    assert "  48-49     14.05          20.00" in (await listed.run("payoff", "nyc")).out.splitlines()


async def test_where_each_market_of_an_event_stands_alone_one_must_be_named(listed: Desk) -> None:
    alone: Any = ask("payoff")
    listed.answers.data["payoff"] = alone | {"label": HIGH["label"]}
    several = await listed.run("payoff", "nyc")
    assert several.code == 1 and "2 markets are like 'nyc'" in several.err
    assert (await listed.run("payoff", "nyc", "48-49")).code == 0


async def test_fields_are_explained_without_a_name_or_an_engine(empty: Desk) -> None:
    told = (await empty.run("market", "--fields")).out
    assert "market.model.inputs:" in told and "orders:" in told
    assert "payoff.held:" in (await empty.run("payoff", "--fields")).out
    assert (await empty.run("market", "nyc")).code == 3
