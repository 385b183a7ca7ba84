"""The Odds API v4: what bookmakers offer on games, asked for within a month's credits.

Its ``last_update`` says when it looked, not that anything moved: a price is as fresh as its last change seen
here. Events leave the list when they are over; what is missing is offered by nobody, never worth nothing.
Lists of events are free, so credits are spent only where a game is near, evenly over what is left of the
month, and a tenth of them stays for the operator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family, KeyNeed, Per, Probe, Quota, Rides
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, NotModified, decode
from core.feeds.polling import Polled
from core.feeds.sanity import dated, time_fault
from core.feeds.sports import BookOdds, Game, Offer
from core.feeds.wiring import Wiring

REGIONS, MARKETS = ("eu",), ("h2h",)
"""The sharpest books and the exchanges are in ``eu``; each region times each market costs a credit."""
COST = len(REGIONS) * len(MARKETS)
DEFAULT_SPORTS = ("basketball_nba",)
NEAR_MS = 3 * 3_600_000
PLAYED_MS = 4 * 3_600_000
"""A game that began less than this long ago may still be offered."""
RESERVE = 0.1
SOURCE_EVERY_S = 60
"""The provider looks no more often before a game."""
EVENTS_MAX, BOOKS_MAX = 500, 100
DECIMAL = (1.0, 10_000.0)
OVERROUND = (0.8, 1.6)
"""What the inverses of all prices of a winner may add up to; American prices read as decimal ones do not."""
DECLARATION = Declaration(
    name="odds-api",
    label="ODDS",
    family=Family.SPORTS,
    gives="bookmakers' prices on games",
    urls={"api": "https://api.the-odds-api.com"},
    every_s=6_000,
    stale_after_s=180,
    quotas=(Quota(500, Per.MONTH, "credits"),),
    key=KeyNeed(
        Rides.QUERY, "apiKey", "A free key with 500 credits a month comes by mail from the-odds-api.com."
    ),
    off="It needs a key of its own, and a month's credits are soon spent.",
    probe=Probe("the list of sports, which is free", "/v4/sports", cost=0),
)


class Outcome(msgspec.Struct, frozen=True):
    name: str
    price: float
    point: float | None = None


class Market(msgspec.Struct, frozen=True):
    key: str
    outcomes: tuple[Outcome, ...]
    last_update: str = ""


class Bookmaker(msgspec.Struct, frozen=True):
    key: str
    markets: tuple[Market, ...]
    last_update: str = ""


class Event(msgspec.Struct, frozen=True):
    id: str
    sport_key: str
    commence_time: str
    home_team: str | None = None
    away_team: str | None = None
    bookmakers: tuple[Bookmaker, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    message: str = ""
    error_code: str = ""


class Odds:
    """One sport."""

    def __init__(self, sport: str, wiring: Wiring) -> None:
        self.key = sport
        self.newest_ms: int | None = None
        self.stale_after_s = wiring.of.stale_after_s
        self._limit_s, self._every_s = wiring.of.stale_after_s, wiring.every_s
        self._sports = len(wiring.follows or DEFAULT_SPORTS)
        self._fetcher, self._budget, self._key = (
            wiring.fetcher("api", "application/json"),
            wiring.budget,
            wiring.key,
        )
        self._clocks, self._sink = wiring.shared.clocks, wiring.shared.sink
        self._held: dict[str, Game] = {}

    async def poll(self) -> Polled | Failed:
        """The free list of events; the prices where a game is near and credits are left for it."""
        listed = await self._ask("events", {}, cost=0)
        if isinstance(listed, Failed):
            return listed
        body, events = listed
        now = self._clocks.world_ms()
        starts = [starts_ms for event in events if (starts_ms := _instant(event.commence_time)) is not None]
        if not any(near(starts_ms, now) for starts_ms in starts):
            self.newest_ms = None  # nothing is known of prices that nobody asked for
            self._retire(event.id for event in events)
            return Polled(body.received_ns, changed=False, latency_ms=body.latency_ms)
        kept_back = self._kept_back()
        if kept_back is not None:
            return kept_back
        priced = await self._ask(
            "odds",
            {"regions": ",".join(REGIONS), "markets": ",".join(MARKETS), "oddsFormat": "decimal"},
            COST,
        )
        return priced if isinstance(priced, Failed) else self._take(*priced)

    async def _ask(
        self, what: str, params: Mapping[str, str], cost: int
    ) -> tuple[Body, tuple[Event, ...]] | Failed:
        path = f"/v4/sports/{self.key}/{what}"
        answer = await self._fetcher.get(path, {"dateFormat": "iso", **params}, cost=cost)
        if isinstance(answer, NotModified):
            return Failed("HTTP 304 to a question without conditions", 304)
        self._count(answer.headers)
        if isinstance(answer, Failed):
            return self._refused(answer)
        events = decode(answer, tuple[Event, ...])
        if isinstance(events, Failed):
            return events
        if len(events) > EVENTS_MAX:
            return Failed(f"it lists more than {EVENTS_MAX} events", 200)
        return answer, events

    def _count(self, headers: Mapping[str, str]) -> None:
        """What the provider counts as left is the truth: it knows of questions that were not ours."""
        left = headers.get("x-requests-remaining", "")
        if left.isascii() and left.isdigit() and len(left) <= 12:
            self._budget.told(Per.MONTH, int(left))

    def _refused(self, answer: Failed) -> Failed:
        """A spent quota has the status of a wrong key; what it says tells them apart."""
        try:
            said = msgspec.json.decode(answer.body, type=Refusal)
        except (msgspec.DecodeError, RecursionError):
            return answer
        words = clean_text(" ".join(filter(None, (said.error_code, said.message))), 120)
        reason = f"HTTP {answer.status}: {words}" if words else answer.reason
        reason = self._key.hidden(reason) if self._key is not None else reason
        spent = (
            said.error_code.startswith("OUT_OF_USAGE") or answer.headers.get("x-requests-remaining") == "0"
        )
        if answer.status == 401 and spent:
            self._budget.told(Per.MONTH, 0)
            return Failed(reason, 401, self._whole_in_s(), spent=True)
        return msgspec.structs.replace(answer, reason=reason)

    def _kept_back(self) -> Failed | None:
        """Whether this question would touch the operator's tenth."""
        (left,) = (left for left in self._budget.left() if left.quota.per is Per.MONTH)
        reserve = int(left.quota.most * RESERVE)
        if left.left - COST >= reserve:
            return None
        reason = f"{left.left} credits are left of the month, and {reserve} are kept back"
        return Failed(reason, 0, self._whole_in_s(), spent=True)

    def _whole_in_s(self) -> float:
        """Real seconds until the month's credits are whole again."""
        whole_ms = max(left.whole_ms for left in self._budget.left())
        return self._clocks.world.real_seconds((whole_ms - self._clocks.world_ms()) / 1000)

    def _again_in_s(self) -> float:
        """World seconds that spread what is left above the reserve over the rest of the month, as if all
        sports were asked for all the time. Never fewer than configured; a plan that grants more than the
        free one may go at the provider's own pace."""
        (left,) = (left for left in self._budget.left() if left.quota.per is Per.MONTH)
        spendable = left.left - int(left.quota.most * RESERVE)
        rest_s = (left.whole_ms - self._clocks.world_ms()) / 1000
        least_s = self._every_s if left.left <= left.quota.most else SOURCE_EVERY_S
        if spendable < COST:
            return self._every_s
        return max(least_s, min(rest_s, rest_s * COST * self._sports / spendable))

    def _take(self, answer: Body, events: tuple[Event, ...]) -> Polled | Failed:
        again_s = self._again_in_s()
        # One rule for the source and its games: the last change of a price, within three questions.
        self.stale_after_s = max(self._limit_s, 3 * int(again_s))
        changed, told, fault = False, 0, ""
        for event in events:
            game = read(event, self._held.get(event.id), self._clocks.world_ms(), answer, self.stale_after_s)
            if isinstance(game, str):
                fault = f"{clean_text(event.id, 40)}: {game}"
                continue
            before, self._held[game.id] = self._held.get(game.id), game
            moved = before is None or before.stamp.event_ms != game.stamp.event_ms
            changed, told = changed or moved, told + 1
            self._sink(game)
        if events and not told:
            return Failed(f"no game could be read: {fault}", 200)
        self._retire(event.id for event in events)
        followed = [game.stamp.event_ms for game in self._held.values() if game.near and game.books]
        self.newest_ms = min(followed, default=None)
        return Polled(answer.received_ns, changed, again_in_s=again_s, latency_ms=answer.latency_ms)

    def _retire(self, listed: Iterable[str]) -> None:
        """Games that left the list are offered by nobody any more."""
        for gone in self._held.keys() - set(listed):
            self._sink(msgspec.structs.replace(self._held.pop(gone), books=()))


def read(event: Event, held: Game | None, world_ms: int, answer: Body, stale_after_s: int) -> Game | str:
    """One event beside what is held of it, or why it is refused."""
    home, away = clean_text(event.home_team or "", 80), clean_text(event.away_team or "", 80)
    starts_ms = _instant(event.commence_time)
    if not event.id or event.id != clean_text(event.id, 80):
        return "it has no name to know it by again"
    if not home or not away or home == away:
        return "it names no two teams"
    if starts_ms is None:
        return "its start is no date"
    before = {(book.book, book.market): book for book in held.books} if held is not None else {}
    books: dict[tuple[str, str], BookOdds] = {}
    for maker in event.bookmakers[:BOOKS_MAX]:
        for market in maker.markets:
            name = clean_text(maker.key, 40), market.key
            found = _book(name, market, maker.last_update, (home, away), before.get(name), world_ms)
            if found is not None:
                books[name] = found
    if event.bookmakers and not books:
        return "none of its prices is plausible"
    moved_ms = max((book.moved_ms for book in books.values()), default=answer_ms(held, world_ms))
    return Game(
        event.id, DECLARATION.name, clean_text(event.sport_key, 40), home, away, starts_ms,
        tuple(books.values()), answer.stamp(moved_ms), stale_after_s, near(starts_ms, world_ms),
    )  # fmt: skip


def near(starts_ms: int, world_ms: int) -> bool:
    """Whether prices are asked for because of it: it begins soon, or is played."""
    return world_ms - PLAYED_MS < starts_ms < world_ms + NEAR_MS


def answer_ms(held: Game | None, world_ms: int) -> int:
    """When a game without a price last moved: as it was held, or now that it is first seen."""
    return held.stamp.event_ms if held is not None else world_ms


def _book(
    name: tuple[str, str],
    market: Market,
    last_update: str,
    teams: tuple[str, str],
    held: BookOdds | None,
    world_ms: int,
) -> BookOdds | None:
    """One bookmaker's market; what is held of it where the answer is older, ``None`` where it is refused."""
    looked_ms = _instant(market.last_update or last_update)
    if looked_ms is None or time_fault(looked_ms, None, world_ms):
        return held
    if held is not None and looked_ms < held.looked_ms:
        return held
    offers = tuple(Offer(clean_text(one.name, 80), one.price, one.point) for one in market.outcomes)
    if not _plausible(market.key, offers, teams):
        return None
    moved_ms = held.moved_ms if held is not None and held.offers == offers else looked_ms
    return BookOdds(*name, offers, looked_ms, moved_ms)


def _plausible(market: str, offers: tuple[Offer, ...], teams: tuple[str, str]) -> bool:
    if not 2 <= len(offers) <= 3 or not all(_decimal(offer.decimal) for offer in offers):
        return False
    names = {offer.outcome for offer in offers}
    if len(names) != len(offers):
        return False
    if market == "h2h":
        inverse = sum(1 / offer.decimal for offer in offers)
        return set(teams) <= names <= {*teams, "Draw"} and OVERROUND[0] <= inverse <= OVERROUND[1]
    sides = set(teams) if market == "spreads" else {"Over", "Under"}
    points = [offer.point for offer in offers]
    lined = all(point is not None and math.isfinite(point) and abs(point) < 1_000 for point in points)
    return market in ("spreads", "totals") and names == sides and lined


def _decimal(price: float) -> bool:
    return math.isfinite(price) and DECIMAL[0] < price <= DECIMAL[1]


def _instant(text: str) -> int | None:
    """``2026-11-23T00:10:00Z`` in Unix milliseconds."""
    try:
        moment = datetime.fromisoformat(text)
        at_ms = int(moment.astimezone(UTC).timestamp() * 1000) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return at_ms if at_ms is not None and dated(at_ms) else None


def feed(wiring: Wiring) -> Feed:
    return wiring.polled([Odds(sport, wiring) for sport in wiring.follows or DEFAULT_SPORTS])
