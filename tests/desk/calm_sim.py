"""``pmconsole sim`` with a scenario's cards and without its moving table, which costs half a desk's time."""

from __future__ import annotations

import msgspec

from core.sim import process
from core.sim.scenarios.loader import Scenario, load_scenario


def calm(name: str) -> Scenario:
    scenario = load_scenario(name)
    script = msgspec.structs.replace(scenario.script, load=None)
    return msgspec.structs.replace(scenario, script=script)


def main() -> None:
    process.load_scenario = calm
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
