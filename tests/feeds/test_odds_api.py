"""The Odds API: moves told from looks, credits spent where a game is near, and refusals told apart."""

import asyncio
import gzip
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from core.feeds.budget import Budget
from core.feeds.declaration import Key
from core.feeds.feed import FeedState
from core.feeds.fetch import Body
from core.feeds.odds_api import COST, DECLARATION, Bookmaker, Event, Market, Outcome, feed, read
from core.feeds.pace import Pace
from core.feeds.sports import Game
from core.feeds.wiring import Transports, Wiring
from core.sim.feeds.odds_api import CREDITS, PREFIX, OddsApi
from core.sim.games import Games

NOW_S = 1_795_330_000
NOW = NOW_S * 1000
BODY = Body(b"", 0, 0)
HOME, AWAY = "Boston Celtics", "New York Knicks"


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(*books: Bookmaker, **changes: Any) -> Event:
    made = Event("9f2c", "basketball_nba", iso(NOW + 3_600_000), HOME, AWAY, books)
    return msgspec.structs.replace(made, **changes)


def maker(home: float = 1.62, away: float = 2.44, looked_s: int = 0, key: str = "pinnacle") -> Bookmaker:
    market = Market("h2h", (Outcome(HOME, home), Outcome(AWAY, away)), iso(NOW + looked_s * 1000))
    return Bookmaker(key, (market,))


def told(one: Event, held: Game | None = None, after_s: int = 0) -> Game:
    found = read(one, held, NOW + after_s * 1000, BODY, 180)
    assert isinstance(found, Game), found
    return found


# --- moves ---------------------------------------------------------------------------------------


def test_a_look_is_no_move() -> None:
    first = told(event(maker()))
    looked = told(event(maker(looked_s=60)), first, 60)
    assert [(b.looked_ms - NOW, b.moved_ms - NOW) for b in looked.books] == [(60_000, 0)]
    assert looked.stamp.event_ms == NOW
    moved = told(event(maker(home=1.61, looked_s=120)), looked, 120)
    assert [(b.looked_ms - NOW, b.moved_ms - NOW) for b in moved.books] == [(120_000, 120_000)]
    assert moved.stamp.event_ms == NOW + 120_000


def test_an_older_answer_and_one_from_the_future_change_nothing() -> None:
    held = told(event(maker(looked_s=60)), after_s=60)
    assert told(event(maker(home=1.5, looked_s=30)), held, 90).books == held.books
    assert told(event(maker(home=1.5, looked_s=600)), held, 90).books == held.books


@pytest.mark.parametrize(
    "book",
    [
        maker(home=-162, away=144),  # American prices
        maker(home=105, away=105),
        maker(home=1.0),
        Bookmaker("x", (Market("h2h", (Outcome(HOME, 1.9), Outcome("Chicago Bulls", 1.9)), iso(NOW)),)),
        Bookmaker("x", (Market("h2h", (Outcome(HOME, 1.9), Outcome(HOME, 1.9)), iso(NOW)),)),
        Bookmaker("x", (Market("totals", (Outcome("Over", 1.9), Outcome("Under", 1.9)), iso(NOW)),)),
        Bookmaker("x", (Market("h2h", (Outcome(HOME, 1.9), Outcome(AWAY, 1.9)), "lately"),)),
    ],
)
def test_prices_that_cannot_be_are_refused_and_never_converted(book: Bookmaker) -> None:
    assert read(event(book), None, NOW, BODY, 180) == "none of its prices is plausible"
    beside = told(event(book, maker(key="betfair_ex_eu")))
    assert [b.book for b in beside.books] == ["betfair_ex_eu"]


def test_three_outcomes_and_lines_are_read() -> None:
    drawn = Market("h2h", (Outcome(HOME, 2.4), Outcome(AWAY, 3.1), Outcome("Draw", 3.3)), iso(NOW))
    spread = Market("spreads", (Outcome(HOME, 1.9, -3.5), Outcome(AWAY, 1.92, 3.5)), iso(NOW))
    total = Market("totals", (Outcome("Over", 1.9, 220.5), Outcome("Under", 1.92, 220.5)), iso(NOW))
    game = told(event(Bookmaker("pinnacle", (drawn, spread, total))))
    assert [(b.market, len(b.offers)) for b in game.books] == [("h2h", 3), ("spreads", 2), ("totals", 2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"home_team": None}, {"away_team": HOME}, {"commence_time": "soon"}, {"id": ""}, {"id": "9f\u202e2c"},
        {"id": "9" * 81},
    ],
)  # fmt: skip
def test_an_event_without_teams_time_or_a_name_to_know_it_by_is_refused(changes: dict[str, Any]) -> None:
    assert isinstance(read(event(maker(), **changes), None, NOW, BODY, 180), str)


_numbers = st.sampled_from([float("nan"), float("inf"), -162.0, 0.0, 1.0, 1.01, 1.9, 2.44, 20.0, 1e9])
_names = st.sampled_from([HOME, AWAY, "Draw", "Over", "Under", "", "\x1b[2J"])
_outcomes = st.lists(st.builds(Outcome, _names, _numbers, st.none() | _numbers), max_size=3).map(tuple)
_times = st.sampled_from(
    [iso(NOW), iso(NOW - 60_000), iso(NOW + 9_000), "9999-12-31T23:59:59-14:00", "", "2026-11-22", "soon"]
)
_markets = st.builds(Market, st.sampled_from(["h2h", "spreads", "totals", "x"]), _outcomes, _times)
_makers = st.builds(Bookmaker, st.sampled_from(["a", "b"]), st.tuples(_markets), _times)


@given(st.lists(st.tuples(st.lists(_makers, max_size=2), _times), min_size=1, max_size=3))
def test_whatever_is_said_nothing_wild_is_told(answers: list[tuple[list[Bookmaker], str]]) -> None:
    held: Game | None = None
    for books, starts in answers:
        found = read(event(*books, commence_time=starts), held, NOW, BODY, 180)
        if isinstance(found, str):
            continue
        for book in found.books:
            assert book.moved_ms <= book.looked_ms <= NOW + 5_000
            assert all(1 < offer.decimal <= 10_000 for offer in book.offers)
        held = found


def test_four_recorded_looks_hold_few_moves(shared: Path) -> None:
    """Of 1,154 looks within a minute four were moves (three markets of 31 books in 15 games)."""
    held: dict[str, Game] = {}
    moves = []
    for number in (1, 2, 3, 4):
        path = shared / f"data/feeds/odds_api/repeat_poll_20260811T180001Z_p{number}.json.gz"
        poll = msgspec.json.decode(gzip.decompress(path.read_bytes()))
        at_ms = poll["fetched_ms"]
        fresh = 0
        for one in msgspec.convert(poll["payload"], tuple[Event, ...], strict=False):
            game = read(one, held.get(one.id), at_ms, BODY, 180)
            assert isinstance(game, Game), game
            before = {(b.book, b.market): b for b in held[one.id].books} if one.id in held else {}
            fresh += sum(
                b.moved_ms != o.moved_ms for b in game.books if (o := before.get((b.book, b.market)))
            )
            held[one.id] = game
        moves.append(fresh)
    books = sum(len(game.books) for game in held.values())
    assert books > 900
    assert moves[0] == 0
    assert moves[1] <= 6
    assert moves[2] < books / 10


# --- asking --------------------------------------------------------------------------------------


class World:
    """The simulated provider asked by the real feed."""

    def __init__(
        self, virtual: Any, *, near: bool = True, key: str = "simulated", answer: Any = None,
        sports: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        games = Games(3)
        found = [g for g in games.between(NOW, NOW + 90 * 86_400_000) if g.league.sport == "basketball_nba"]
        self.game = found[len(found) // 2]
        start_ms = self.game.starts_ms - 2 * 3_600_000
        if not near:
            start_ms = next(
                at
                for at in range(NOW, NOW + 10 * 86_400_000, 3_600_000)
                if not any(at - 5 * 3_600_000 < g.starts_ms < at + 5 * 3_600_000 for g in found)
            )
        self.virtual, self.clocks = virtual, virtual.clocks(1.0, start_ms)
        around = Around(games, self.clocks)
        self.provider = OddsApi(around)  # type: ignore[arg-type]
        self.budget = Budget(DECLARATION.quotas, self.clocks)
        self.key, self.answer, self.sports = key, answer, sports
        self.asked: list[httpx.URL] = []
        self.got: list[Game] = []
        self.feed: Any = None

    def run(self, seconds: float = 5.0) -> None:
        served = httpx.ASGITransport(Starlette(routes=self.provider.routes()))
        asked, answer = self.asked, self.answer

        class Noting(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                asked.append(request.url)
                if answer is None:
                    return await served.handle_async_request(request)
                return answer() if callable(answer) else answer

        async def work() -> None:
            async with httpx.AsyncClient(transport=Noting()) as http:
                shared = Transports(http, None, self.clocks, random.Random(1), "test", self.got.append)  # type: ignore[arg-type]
                self.feed = feed(
                    Wiring(
                        of=DECLARATION, urls={"api": f"http://sim{PREFIX}"}, every_s=DECLARATION.every_s,
                        budget=self.budget, pace=Pace(self.clocks), shared=shared, key=Key(self.key),
                        follows=self.sports,
                    )
                )  # fmt: skip
                await self.feed.run()

        self.virtual.run_for(seconds, work)

    @property
    def left(self) -> int:
        return self.budget.left()[0].left

    def calls(self, what: str) -> int:
        return sum(url.path.endswith(what) for url in self.asked)


class Around(msgspec.Struct):
    """What the provider sees of the world."""

    games: Games
    clocks: Any
    key: str = "simulated"

    @property
    def clock(self) -> Any:
        return self.clocks.real

    def now_ms(self) -> int:
        return self.clocks.world_ms()


def test_a_near_game_costs_its_credits_and_is_told(virtual: Any) -> None:
    world = World(virtual)
    world.run()
    assert (world.calls("/events"), world.calls("/odds")) == (1, 1)
    assert world.provider.used == COST
    assert world.left == CREDITS - COST
    assert world.game.id in {game.id for game in world.got}
    assert world.feed.health().state is FeedState.OK


def test_credits_last_the_month_at_the_pace_that_is_kept(virtual: Any) -> None:
    world = World(virtual)
    world.run(3 * 3_600)
    spent, hours = world.provider.used, 3
    assert 1 <= spent <= 1 + hours * 3_600 / DECLARATION.every_s


def test_a_larger_plan_is_used_faster(virtual: Any) -> None:
    world = World(virtual)
    world.provider.month = datetime.fromtimestamp(world.clocks.world_ms() / 1000, UTC).strftime("%Y-%m")
    world.provider.used = CREDITS - 100_000
    world.run(3_600)
    assert world.provider.used - (CREDITS - 100_000) >= 20


@pytest.mark.parametrize("sports", [("basketball_nba",), ("basketball_nba", "icehockey_nhl", "soccer_epl")])
def test_what_is_left_is_shared_by_all_sports(virtual: Any, sports: tuple[str, ...]) -> None:
    world = World(virtual, sports=sports)
    world.provider.used = CREDITS - 250
    world.provider.month = datetime.fromtimestamp(world.clocks.world_ms() / 1000, UTC).strftime("%Y-%m")
    at_ms = world.clocks.world_ms()
    world.run()
    [left] = world.budget.left()
    rest_s, spendable = (left.whole_ms - at_ms) / 1000, left.left - CREDITS // 10
    [asked] = [source for source in world.feed._sources if source.key == "basketball_nba"]
    assert asked.stale_after_s / 3 == pytest.approx(rest_s * len(sports) / spendable, rel=0.02)


def test_the_source_is_as_old_as_the_price_of_a_near_game_that_stood_longest(virtual: Any) -> None:
    world = World(virtual)
    world.run(2 * 3_600)
    [source] = world.feed._sources
    held = [game for game in source._held.values() if game.near and game.books]
    assert held and all(game.stale_after_s == source.stale_after_s for game in source._held.values())
    assert source.newest_ms == min(game.stamp.event_ms for game in held)
    assert world.game.id in {game.id for game in held}
    assert any(not game.near for game in world.got)
    at_ms = world.clocks.world_ms()
    world.virtual.run_for((source.newest_ms - at_ms) / 1000 + source.stale_after_s, asyncio.Event().wait)
    assert world.feed.health().state is FeedState.OK
    world.virtual.run_for(2, asyncio.Event().wait)
    assert world.feed.health().state is FeedState.STALE, "when its games are, by the same limit"


def test_without_a_near_game_only_the_free_list_is_asked(virtual: Any) -> None:
    world = World(virtual, near=False)
    world.run(1_000)
    assert (world.calls("/events"), world.calls("/odds"), world.provider.used) == (1, 0, 0)
    assert world.got == []


def test_what_the_provider_counts_is_believed_and_a_tenth_is_kept_back(virtual: Any) -> None:
    world = World(virtual)
    world.provider.used, world.provider.month = CREDITS - 50, "2026-12"
    world.provider.month = datetime.fromtimestamp(world.clocks.world_ms() / 1000, UTC).strftime("%Y-%m")
    world.run(600)
    assert world.calls("/odds") == 0
    health = world.feed.health()
    assert health.state is FeedState.SPENT
    assert "50 credits are left of the month, and 50 are kept back" in health.detail
    assert world.left == 50


@pytest.mark.parametrize(
    ("status", "code", "state", "left"),
    [
        (401, "OUT_OF_USAGE_CREDITS", FeedState.SPENT, 0),
        (401, "INVALID_KEY", FeedState.AUTH, None),
        (401, "DEACTIVATED_KEY", FeedState.AUTH, None),
        (429, "EXCEEDED_FREQ_LIMIT", FeedState.WAITING, None),
    ],
)
def test_refusals_of_one_status_are_told_apart(
    virtual: Any, status: int, code: str, state: FeedState, left: int | None
) -> None:
    said = {"error_code": code, "message": "No more for the key simulated-secret."}
    world = World(virtual, key="simulated-secret", answer=httpx.Response(status, json=said))
    world.run(0.5)
    health = world.feed.health()
    assert health.state is state
    assert code in health.detail
    assert "simulated-secret" not in health.detail
    assert len(world.asked) <= 2
    if left is not None:
        assert world.left == left


def test_a_game_that_leaves_the_list_is_offered_by_nobody_and_never_worth_nothing(virtual: Any) -> None:
    world = World(virtual)
    world.run((world.game.ends_ms - world.clocks.world_ms()) / 1000 + 4 * 3_600)
    last = [game for game in world.got if game.id == world.game.id][-1]
    assert last.books == ()
    assert last.stamp.event_ms < world.game.ends_ms


def test_one_that_leaves_while_others_are_offered_is_told_so(virtual: Any) -> None:
    def listed() -> httpx.Response:
        now_ms = world.clocks.world_ms()
        first = maker(looked_s=(now_ms - NOW) // 1000)
        games = [event(first, id=name, commence_time=iso(world.game.starts_ms)) for name in ("one", "two")]
        body = msgspec.json.encode(games[: 2 if now_ms < world.game.starts_ms - 7_000_000 else 1])
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)

    world = World(virtual, answer=listed)
    world.run(7_000)
    assert [(game.id, bool(game.books)) for game in world.got] == [
        ("one", True), ("two", True), ("one", True), ("two", False),
    ]  # fmt: skip


def test_the_simulators_looks_are_mostly_no_moves() -> None:
    games = Games(3)
    game = games.offered(NOW)[0]
    at = [NOW + 60_000 * n for n in range(30)]
    looked = {(o.book.key, o.looked_ms) for ms in at for o in games.offers(game, ms)}
    prices = {(o.book.key, o.markets["h2h"]) for ms in at for o in games.offers(game, ms)}
    assert len(prices) < len(looked)
