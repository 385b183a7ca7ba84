"""The calm simulator with a cancel-all that is over at once, for tests that go on trading after one."""

from __future__ import annotations

from functools import partial

from core.sim import process
from core.sim.dialect import Dialect
from core.sim.exchange import Exchange
from tests.desk import calm_sim


def main() -> None:
    process.Exchange = partial(Exchange, dialect=Dialect(cancel_all_lasts_s=0))  # type: ignore[assignment,misc]
    calm_sim.main()


if __name__ == "__main__":
    main()
