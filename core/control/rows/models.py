"""An event's fair values, and each model's record."""

from __future__ import annotations

from collections.abc import Mapping

from core.control.rows.values import probability, probability_if
from core.control.tables.models import BinRow, BracketRow, EventRow, InputRow, ScoreRow
from core.engine.state import EventState, MarketState
from core.models.fair_value import FairValue, InputAge
from core.models.record import Track

EVIDENCE_MAX = 20


def input_row(age: InputAge) -> InputRow:
    return InputRow(age.name, age.event_ms, age.stale_after_s)


def event_row(
    state: EventState, markets: dict[str, MarketState], books: Mapping[str, tuple[int | None, int | None]]
) -> EventRow:
    """``books``: best YES bid and ask by ticker."""
    fair = state.fair
    values: dict[str, FairValue] = {v.ticker: v for v in fair.values} if fair is not None else {}
    known = [markets[t] for t in state.markets if t in markets]
    newest = next(iter(values.values()), None)
    return EventRow(
        event=state.ticker,
        label=state.label,
        model=fair.model if fair is not None else "",
        version=fair.version if fair is not None else "",
        mean=fair.mean if fair is not None else None,
        spread=fair.spread if fair is not None else None,
        close_world_ms=min((m.market.close_ms for m in known), default=0),
        extreme=newest.running_extreme if newest is not None else None,
        inputs=tuple(input_row(age) for age in newest.inputs) if newest is not None else (),
        brackets=tuple(
            BracketRow(
                key=market.key,
                label=market.market.label.rpartition(" ")[2],
                model=probability(values[ticker].model_probability),
                book=_mid(books.get(ticker)),
                fair=probability(values[ticker].probability) if not state.refusal else None,
                edge=market.edge,
                sigma=probability(values[ticker].sigma),
                market=probability_if(values[ticker].market_probability),
            )
            for market in known
            for ticker in (market.market.ticker,)
            if ticker in values
        ),
        score=state.score,
        refusal=state.refusal,
        evidence=newest.evidence[:EVIDENCE_MAX] if newest is not None else (),
        weight=fair.weight if fair is not None else 1.0,
        record=fair.record if fair is not None else "",
        unpooled=next((v.unpooled for v in values.values() if v.unpooled), ""),
        proven=newest is not None and not newest.doubt,
    )


def _mid(touch: tuple[int | None, int | None] | None) -> int | None:
    if touch is None or touch[0] is None or touch[1] is None:
        return None
    return (touch[0] + touch[1]) // 2


def score_row(track: Track) -> ScoreRow:
    worth, told = track.worth, track.calibration
    crps, beaten, lost = told.crps, worth.beaten, (worth.alone, worth.market, worth.pooled)
    return ScoreRow(
        series=track.series,
        model=track.model,
        simulated=track.simulated,
        looks=worth.looks,
        days=worth.gain.days,
        crps=crps.value if crps is not None else None,
        crps_se=crps.se if crps is not None else None,
        log_loss=(lost[0].value, lost[1].value, lost[2].value),
        log_loss_se=(lost[0].se, lost[1].se, lost[2].se),
        brier=told.brier,
        gain=worth.gain.value,
        gain_se=worth.gain.se,
        cover=told.cover,
        pit=told.pit,
        pit_mean=worth.pit_mean,
        pit_far=told.pit_far,
        bins=tuple(
            BinRow(b.low, b.high, b.count, b.said, b.happened, b.happened_low, b.happened_high)
            for b in told.bins
        ),
        beaten=beaten.value if beaten is not None else None,
        beaten_se=beaten.se if beaten is not None else None,
        verdict=track.standing.verdict.value,
        weight=track.standing.weight,
        why=track.standing.sentence,
        drift=worth.drift.total if worth.drift is not None else None,
        slipping=worth.slipping,
    )
