"""Makes the coefficients and the models' record that come with the demo, by the demo's own commands against
its own simulator: ``python -m tests.training.build_coefficients`` after a change of its atmosphere."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.training import build_evidence
from tests.training.updated_desk import updated_desk

PACKAGED = Path(__file__).parents[2] / "core" / "models" / "weather" / "data" / "coefficients-sim.json"


def main() -> None:
    with updated_desk() as desk:
        desk.run("models", "fit")
        build_evidence.build(desk.histories(), round(time.time() * 1000))
        shutil.copyfile(desk.place / "coefficients.json", PACKAGED)


if __name__ == "__main__":
    main()
