"""What a model says of an event, and each model's record."""

from __future__ import annotations

from collections.abc import Sequence

from core.control.queries.fields import LABEL, TICKER, Field, nested, price, rounded, world_age

INPUTS: tuple[Field, ...] = (
    Field("name", "which", lambda r, n: r.name),
    Field("age_s", "of world time, since what it tells of", lambda r, n: world_age(r.event_world_ms, n)),
    Field("stale_after_s", "older than this it stops entries", lambda r, n: r.stale_after_s),
)

BRACKETS: tuple[Field, ...] = (
    TICKER,
    LABEL,
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("book", "middle of the book", lambda r, n: price(r.book)),
    Field("market", "what the market says, normalised; null: not pooled", lambda r, n: price(r.market)),
    Field("fair", "model and market pooled", lambda r, n: price(r.fair)),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
    Field("edge", "best net edge a contract", lambda r, n: price(r.edge)),
)

MODEL: tuple[Field, ...] = (
    Field("event", "the venue's name of it", lambda r, n: r.event),
    Field("label", "short name of the event", lambda r, n: r.label),
    Field("model", "which model", lambda r, n: r.model),
    Field("version", "and which state of it", lambda r, n: r.version),
    Field("refusal", "why there is no fair value, empty where there is one", lambda r, n: r.refusal),
    Field("mean", "of the model's law, in the event's unit; null without one", lambda r, n: rounded(r.mean)),
    Field("spread", "its standard deviation", lambda r, n: rounded(r.spread)),
    Field("extreme", "observed so far, whole degrees F; null where it is about none", lambda r, n: r.extreme),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field("unpooled", "why the model stands alone, and is not traded on", lambda r, n: r.unpooled),
    Field("record", "what the model's record is worth", lambda r, n: r.record),
    Field("proven", "whether automatic mode may open on it", lambda r, n: r.proven),
    Field("inputs", "what it rests on, see market.model.inputs", lambda r, n: nested(INPUTS, r.inputs, n)),
    Field("evidence", "the same in words", lambda r, n: list(r.evidence)),
    Field(
        "brackets",
        "every market of the event, see market.model.brackets",
        lambda r, n: nested(BRACKETS, r.brackets, n),
    ),
)

BINS: tuple[Field, ...] = (
    Field("low", "from this probability", lambda r, n: r.low),
    Field("high", "to this one", lambda r, n: r.high),
    Field("contracts", "how many were said to be so likely", lambda r, n: r.contracts),
    Field("said", "their mean probability", lambda r, n: rounded(r.said)),
    Field("paid", "share of them that paid", lambda r, n: rounded(r.paid)),
    Field("paid_low", "lower end of its 95 % interval", lambda r, n: rounded(r.paid_low)),
    Field("paid_high", "upper end", lambda r, n: rounded(r.paid_high)),
)

SCORE: tuple[Field, ...] = (
    Field("series", "whose events were forecast", lambda r, n: r.series),
    Field("model", "by which model", lambda r, n: r.model),
    Field("simulated", "whether all of it happened in a simulated world", lambda r, n: r.simulated),
    Field("looks", "forecasts with an outcome", lambda r, n: r.looks),
    Field("days", "days they are of: what errors are clustered by", lambda r, n: r.days),
    Field("crps", "mean CRPS of the model's law, degrees F; null without one", lambda r, n: rounded(r.crps)),
    Field("crps_se", "its standard error", lambda r, n: rounded(r.crps_se)),
    Field("log_loss_model", "nats an event, of the model alone", lambda r, n: rounded(r.log_loss[0])),
    Field("log_loss_model_se", "its standard error", lambda r, n: rounded(r.log_loss_se[0])),
    Field("log_loss_market", "of the market", lambda r, n: rounded(r.log_loss[1])),
    Field("log_loss_market_se", "its standard error", lambda r, n: rounded(r.log_loss_se[1])),
    Field("log_loss_pooled", "of both pooled, as it was traded on", lambda r, n: rounded(r.log_loss[2])),
    Field("log_loss_pooled_se", "its standard error", lambda r, n: rounded(r.log_loss_se[2])),
    Field("brier_model", "of an event, of the model alone", lambda r, n: rounded(r.brier[0])),
    Field("brier_market", "of the market", lambda r, n: rounded(r.brier[1])),
    Field("brier_pooled", "of both pooled", lambda r, n: rounded(r.brier[2])),
    Field("gain", "of the pool on the market sharpened alone, out of sample", lambda r, n: rounded(r.gain)),
    Field("gain_se", "its standard error", lambda r, n: rounded(r.gain_se)),
    Field("cov50", "outcomes in the central half of the law", lambda r, n: _at(r.cover, 0)),
    Field("cov80", "in its central 80 %", lambda r, n: _at(r.cover, 1)),
    Field("cov90", "in its central 90 %", lambda r, n: _at(r.cover, 2)),
    Field("pit", "share of outcomes in each tenth of the law", lambda r, n: [round(p, 4) for p in r.pit]),
    Field("pit_mean", "0.5 without bias", lambda r, n: rounded(r.pit_mean)),
    Field("pit_ks", "largest distance from the uniform", lambda r, n: rounded(r.pit_far)),
    Field(
        "cusum",
        "what the pool lost to the market adding up, standard deviations of a day, see cusum_since",
        lambda r, n: rounded(r.drift),
    ),
    Field(
        "cusum_since",
        "day since which it is beyond its limit, and the model counts nothing; null where it is not",
        lambda r, n: r.slipping or None,
    ),
    Field("bins", "reliability of the pooled figures, see score.bins", lambda r, n: nested(BINS, r.bins, n)),
    Field("clv", "closing-line value of what was bought: mean log ratio", lambda r, n: rounded(r.beaten)),
    Field("clv_se", "its standard error", lambda r, n: rounded(r.beaten_se)),
    Field("verdict", "proven, insufficient or worthless", lambda r, n: r.verdict),
    Field("weight", "of the model in the pool by this record", lambda r, n: rounded(r.weight)),
    Field("why", "what the verdict rests on", lambda r, n: r.why),
)


def _at(values: Sequence[float], at: int) -> float | None:
    return round(values[at], 4) if values else None
