"""Track records against their definitions, and what they allow."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Venue
from core.models import scores
from core.models.calibration import Standing, Verdict
from core.models.foreseen import Came, Entry, Foreseen, Moment, Said, day_of, due, kind_of
from core.models.laws import Law, Shape
from core.models.pooling import Weights
from core.models.record import Record
from core.models.track import SHARPENED, WEIGHTS, calibration, scored, worth
from tests.execution.bench import ladder

FIRST = date(2026, 1, 1).toordinal()
USUAL = Weights(0.35, 1.0)
HOUR_MS = 3_600_000


def probabilities(law: Law, base: int) -> tuple[float, ...]:
    edges = [-math.inf, *(base + 2 * k + 0.5 for k in range(5)), math.inf]
    return tuple(float(p) for p in np.diff(law.below(edges)))


def past(
    days: int, *, model_off: float = 0.0, crowd_off: float = 1.5, seed: int = 1
) -> list[tuple[Foreseen, Came]]:
    """Days of a truth known to two degrees; model and crowd are off by an error of their own each."""
    rng, found = random.Random(seed), []
    for index in range(days):
        mean = rng.gauss(60, 10)
        value, base = round(rng.gauss(mean, 2.0)), round(mean) - 6
        day = date.fromordinal(FIRST + index).isoformat()
        tickers = tuple(f"E{index}-{k}" for k in range(6))
        law, crowd = (
            Law(Shape.NORMAL, np.array(mean + rng.gauss(0, off)), np.array(math.hypot(2.0, off)))
            for off in (model_off, crowd_off)
        )
        alone, market = probabilities(law, base), probabilities(crowd, base)
        winner = min(max(0, (value - base + 1) // 2), 5)
        look = Foreseen(
            venue=Venue.KALSHI, event=f"E{index}", series="KXHIGHNY", model="m", version="1",
            moment=Moment.EVENING, at_ms=0, closes_ms=0, day=day, tickers=tickers, alone=alone, market=market,
            pooled=market, weight=0.35, laws=(Said(1.0, law.shape, float(law.location), float(law.scale)),),
        )  # fmt: skip
        paid = {ticker: at == winner for at, ticker in enumerate(tickers)}
        found.append((look, Came(look.event, 1, paid, float(value))))
    return found


def judged(rows: Sequence[tuple[Foreseen, Came]], *, simulated: bool = False) -> Standing:
    record = Record(simulated=simulated)
    for look, came in rows:
        record.add((look,), came)
    return record.judge("KXHIGHNY", "m", USUAL)


def test_a_look_is_scored_as_the_scores_say() -> None:
    for look, came in past(20):
        ((one,),) = scored([(look, came)])
        told = np.array([look.alone, look.market, look.pooled])
        won = np.full(3, one.winner)
        assert one.lost == pytest.approx(scores.log_loss(told, won))
        assert one.brier == pytest.approx(scores.brier_event(told, won))
        floored = scores.floored(told)
        for at, weight in enumerate(WEIGHTS):
            pool = floored[0] ** weight * floored[1] ** (1 - weight)
            assert one.by_weight[at] == pytest.approx(-math.log(pool[one.winner] / pool.sum()))
        for at, sharpened in enumerate(SHARPENED):
            alone = floored[1] ** sharpened
            assert one.by_sharpness[at] == pytest.approx(-math.log(alone[one.winner] / alone.sum()))
        said = look.laws[0]
        law = Law(said.shape, np.array(said.location), np.array(said.scale))
        assert one.crps == pytest.approx(float(scores.crps(law, came.value)))
        assert one.upto - one.below == pytest.approx(
            float(law.below(came.value + 0.5) - law.below(came.value - 0.5))
        )


def test_without_a_law_the_brackets_tell_where_an_outcome_lies() -> None:
    look, came = past(1)[0]
    bare = msgspec.structs.replace(look, laws=())
    ((one,),) = scored([(bare, came)])
    assert one.below == pytest.approx(sum(look.alone[: one.winner]))
    assert one.upto - one.below == pytest.approx(look.alone[one.winner])
    assert math.isnan(one.crps)


def test_looks_of_all_kinds_are_scored_together_as_each_alone() -> None:
    rows = past(6)
    rows[1] = (msgspec.structs.replace(rows[1][0], exclusive=False, laws=()), rows[1][1])
    rows[2] = (msgspec.structs.replace(rows[2][0], laws=()), rows[2][1])
    halves = tuple(msgspec.structs.replace(one, weight=0.5) for one in rows[3][0].laws * 2)
    rows[3] = (msgspec.structs.replace(rows[3][0], laws=halves), rows[3][1])
    rows[4] = (rows[4][0], msgspec.structs.replace(rows[4][1], paid={}))
    together = scored(rows)
    assert [len(each) for each in together] == [1, 6, 1, 1, 0, 1]
    for pair, each in zip(rows, together, strict=True):
        (alone,) = scored([pair])
        for one, other in zip(each, alone, strict=True):
            assert one.lost == pytest.approx(other.lost) and one.by_weight == pytest.approx(other.by_weight)
            assert one.crps == pytest.approx(other.crps, nan_ok=True)
    ((plain,),) = scored([past(6)[3]])
    assert together[3][0].crps == pytest.approx(plain.crps), "two halves of one law are that law"


def test_markets_that_exclude_nothing_are_contests_of_their_own() -> None:
    look, came = past(1)[0]
    single = msgspec.structs.replace(look, exclusive=False, laws=())
    both = {ticker: at < 2 for at, ticker in enumerate(look.tickers)}
    (found,) = scored([(single, msgspec.structs.replace(came, paid=both))])
    assert [one.winner for one in found] == [0, 0, 1, 1, 1, 1]
    assert found[0].lost[0] == pytest.approx(-math.log(max(0.002, look.alone[0])), abs=0.003)
    assert all(math.isnan(one.below) for one in found), "YES and NO have no order"


@pytest.mark.parametrize("paid", [{}, {"E0-0": True}, dict.fromkeys((f"E0-{k}" for k in range(6)), False)])
def test_what_ended_otherwise_is_not_scored(paid: dict[str, bool]) -> None:
    look, came = past(1)[0]
    assert scored([(look, msgspec.structs.replace(came, paid=paid))]) == [()]


def test_a_model_that_knows_more_than_the_crowd_is_proven_and_made_worse_it_loses_its_right() -> None:
    good = judged(past(150))
    assert (good.verdict, good.doubt) == (Verdict.PROVEN, "")
    assert good.weight > 0.6
    worse = judged(past(150, model_off=5.0))
    assert (worse.verdict, worse.weight) == (Verdict.WORTHLESS, 0.0)
    assert "adds nothing" in worse.doubt


def test_a_standing_follows_the_record() -> None:
    record, rows = Record(simulated=False), past(80)
    for look, came in rows[:59]:
        record.add((look,), came)
    assert record.judge("KXHIGHNY", "m", USUAL).verdict is Verdict.INSUFFICIENT
    for look, came in rows[59:]:
        record.add((look,), came)
    assert record.judge("KXHIGHNY", "m", USUAL).verdict is Verdict.PROVEN


def test_a_right_law_that_leans_is_told_by_its_mean_pit() -> None:
    leaning = [
        (
            msgspec.structs.replace(look, laws=(Said(1.0, Shape.NORMAL, look.laws[0].location - 1.5, 2.0),)),
            came,
        )
        for look, came in past(150)
    ]
    found = judged(leaning)
    assert found.verdict is Verdict.WORTHLESS and "it lies too low" in found.doubt


@pytest.mark.parametrize(
    ("days", "scale", "word"), [(150, 1.0, "narrow"), (150, 4.0, "wide"), (25, 0.7, "narrow")]
)
def test_a_law_of_the_wrong_width_is_told_by_its_coverage_before_sixty_days_too(
    days: int, scale: float, word: str
) -> None:
    rows = [
        (msgspec.structs.replace(look, laws=(Said(1.0, Shape.NORMAL, look.laws[0].location, scale),)), came)
        for look, came in past(days)
    ]
    found = judged(rows)
    assert (found.verdict, found.weight) == (Verdict.WORTHLESS, 0.0)
    assert f"the model is too {word}: 0." in found.doubt and "in its middle 0.80" in found.doubt


def test_a_model_that_begins_to_lose_to_the_market_counts_nothing_until_it_has_won_it_back() -> None:
    good, spoilt = past(200), past(260, model_off=4.0, crowd_off=0.0, seed=2)
    rows = [*good[:150], *spoilt[150:165]]
    assert judged(good[:150]).verdict is Verdict.PROVEN
    slipped = judged(rows)
    assert (slipped.verdict, slipped.weight) == (Verdict.WORTHLESS, 0.0)
    first = date.fromordinal(FIRST + 150)
    began = slipped.doubt.partition("since ")[2].partition(",")[0]
    assert "loses to the market since" in slipped.doubt
    assert abs((date.fromisoformat(began) - first).days) <= 5
    better = past(260)[165:230]
    assert judged([*rows, *better]).verdict is Verdict.PROVEN, "it was scored on"


def test_59_days_say_nothing_however_many_looks_they_are() -> None:
    few = judged(past(59))
    assert few.verdict is Verdict.INSUFFICIENT and "59 of 60 settled days" in few.doubt
    twice = [row for n in range(3) for row in _renamed(past(59), n)]
    assert "59 of 60 settled days" in judged(twice).doubt
    assert judged(past(60)).verdict is Verdict.PROVEN


def _renamed(rows: Sequence[tuple[Foreseen, Came]], n: int) -> list[tuple[Foreseen, Came]]:
    return [
        (
            msgspec.structs.replace(look, event=f"{look.event}x{n}"),
            msgspec.structs.replace(came, event=f"{came.event}x{n}"),
        )
        for look, came in rows
    ]


def test_looks_at_one_day_count_as_one() -> None:
    once = [one for (one,) in scored(past(100))]
    single, double = worth(once), worth(once * 3)
    assert single is not None and double is not None
    assert double.looks == 300 and double.gain.days == 100
    assert double.gain.se == pytest.approx(single.gain.se), "three looks at a day are no new evidence"
    assert double.gain.value == pytest.approx(single.gain.value)


def test_the_weight_of_a_day_is_of_the_days_before_it() -> None:
    known = [one for (one,) in scored(past(120))]
    last = known[119]
    against = msgspec.structs.replace(last, by_weight=(0.0,) * 9 + (500.0,))
    plain, changed = worth(known), worth([*known[:119], against])
    assert plain is not None and changed is not None
    assert (plain.weight, changed.weight) == (0.9, 0.8), "what it would have been, seen from the end"
    assert (plain.gain.value - changed.gain.value) * 120 == pytest.approx(500.0 - last.by_weight[9])


def test_coverage_and_pit_of_a_right_law() -> None:
    found = calibration([one for (one,) in scored(past(400))])
    assert found.cover == pytest.approx((0.5, 0.8, 0.9), abs=0.06)
    assert sum(found.pit) == pytest.approx(1.0) and found.pit == pytest.approx((0.1,) * 10, abs=0.05)
    assert found.crps is not None and found.crps.value == pytest.approx(2.0 / math.sqrt(math.pi), abs=0.12)
    assert sum(b.count for b in found.bins) == 2_400


def test_simulated_looks_count_in_a_simulated_world_alone() -> None:
    simulated = [(msgspec.structs.replace(look, simulated=True), came) for look, came in past(100)]
    inside, outside = judged(simulated, simulated=True), judged(simulated)
    assert inside.verdict is Verdict.PROVEN and inside.sentence.startswith("SIM: ")
    assert (outside.verdict, outside.doubt) == (
        Verdict.INSUFFICIENT, "evidence insufficient: no settled days scored",
    )  # fmt: skip


def test_an_outcome_corrected_takes_the_place_of_the_first_and_entries_are_weighed_by_size() -> None:
    record = Record(simulated=False)
    look, came = past(1)[0]
    record.add((look,), came)
    (first,) = record.tracks()
    paid = list(came.paid.values())
    other = dict(zip(look.tickers, [*paid[1:], paid[0]], strict=True))
    entries = (Entry(look.tickers[0], 30.0, 0.10), Entry(look.tickers[1], 10.0, -0.10))
    record.add((look,), msgspec.structs.replace(came, paid=other, entries=entries))
    (second,) = record.tracks()
    assert second.worth.looks == first.worth.looks == 1
    assert second.worth.alone.value != first.worth.alone.value
    assert second.worth.beaten is not None and second.worth.beaten.value == pytest.approx(0.05)


def test_a_record_is_of_a_series_or_of_a_place_where_a_word_finds_many() -> None:
    market = ladder()[0]
    assert kind_of(market) == "KXHIGHNY"
    found = msgspec.structs.replace(
        market, venue=Venue.POLYMARKET, ticker="highest-temperature-in-nyc-45f", series_ticker="tag:weather"
    )
    assert kind_of(found) == "KNYC high polymarket"
    assert kind_of(msgspec.structs.replace(found, station=None)) == "tag:weather"


def test_moments() -> None:
    midnight = 1_795_910_400_000  # 2026-11-29T00:00Z
    assert due(midnight - 9 * HOUR_MS, midnight + 29 * HOUR_MS, "2026-11-29") == {
        Moment.EVENING: midnight - 3 * HOUR_MS, Moment.NIGHT: midnight + 3 * HOUR_MS,
    }  # fmt: skip
    assert due(midnight, midnight + 900_000, "2026-11-29") == {Moment.HALF: midnight + 450_000}
    assert day_of(midnight, None) == "2026-11-28" and day_of(midnight, "2026-11-30") == "2026-11-30"


def lost_bets(bets: Sequence[tuple[float, bool, bool]], first_ms: int = 1) -> Record:
    """A record of one bet an event: what was said, whether YES was bought, and whether YES paid."""
    record = Record(simulated=False)
    for at, (said, yes, paid) in enumerate(bets):
        look, came = past(1)[0]
        ticker = look.tickers[0]
        ended = Came(
            f"E{at}", first_ms + at, {**came.paid, ticker: paid}, None, (Entry(ticker, 5.0, 0.1, yes, said),)
        )
        record.add((msgspec.structs.replace(look, event=f"E{at}"),), ended)
    return record


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 0.8, 0.81, 0.99]), st.booleans(), st.booleans()), max_size=15
    )
)
def test_bets_that_were_all_but_sure_are_lost_in_a_row_until_one_is_won(
    bets: list[tuple[float, bool, bool]],
) -> None:
    row = 0
    for said, yes, paid in bets:
        if said > 0.8:
            row = 0 if yes is paid else row + 1
    assert lost_bets(bets).sure_lost(lambda _: 0) == ({"KXHIGHNY": row} if row else {})


def test_bets_count_from_when_somebody_says_and_an_amended_one_is_not_counted_twice() -> None:
    record = lost_bets([(0.9, True, False)] * 6, first_ms=100)
    assert record.sure_lost(lambda _: 102) == {"KXHIGHNY": 3}
    assert record.sure_lost(lambda _: 105) == {}
    look, came = past(1)[0]
    amended = Came(
        "E5", 105, {**came.paid, look.tickers[0]: True}, None, (Entry(look.tickers[0], 5.0, 0.1, True, 0.9),)
    )
    record.add((msgspec.structs.replace(look, event="E5"),), amended)
    assert record.sure_lost(lambda _: 0) == {}


@pytest.mark.parametrize(
    ("days", "value", "verdict"),
    [
        (25, -0.001, Verdict.INSUFFICIENT),
        (25, 0.001, Verdict.PROVEN),
        (15, -0.001, Verdict.PROVEN),
    ],
)
def test_what_was_bought_on_a_proven_model_has_to_be_cheap_at_the_close(
    days: int, value: float, verdict: Verdict
) -> None:
    rows = past(150)
    for at in range(days):
        look, came = rows[-1 - at]
        wobble = 0.1 if at % 2 else -0.1  # so wide that it is not significantly dear
        entry = Entry(look.tickers[0], 5.0, value + (wobble if at < days // 2 * 2 else 0.0))
        rows[-1 - at] = look, msgspec.structs.replace(came, entries=(entry,))
    found = judged(rows)
    assert found.verdict is verdict and found.weight > 0.6
    if verdict is Verdict.INSUFFICIENT:
        assert "was not cheap at the close, closing-line value -0.001" in found.doubt
