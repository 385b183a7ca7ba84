"""What an answer makes of the markets behind its keys."""

from __future__ import annotations

import pytest

from core.control import statics
from core.control.protocol import Query
from core.control.served import Served
from tests.execution.bench import CLI, EVENT, HOT, running
from tests.virtual import VirtualLoop, run_virtual


def test_only_the_markets_an_answer_names_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = statics.static_of

    def counted(state: statics.DeskState, ticker: str) -> statics.MarketStatic:
        made.append(ticker)
        return real(state, ticker)

    monkeypatch.setattr(statics, "static_of", counted)

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            served = Served(bench.engine)
            for what, about in (("batch", EVENT), ("vetoes", ""), ("score", ""), ("status", "")):
                assert served.command(Query("1", what, about), CLI).accepted
                assert made == []
            reply = served.command(Query("1", "proposals"), CLI)
            assert made == [HOT] and HOT.encode() in reply.data
            known = statics.Statics(bench.engine.state)
            keys = {state.key for state in bench.engine.state.markets.values()}
            assert set(known) == keys and len(known) == len(keys) and known.get(0) is None

    run_virtual(main)
