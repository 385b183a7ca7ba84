"""Makes the coefficients and the models' record that come with the demo, by the demo's own commands against
its own simulator: ``python -m tests.training.build_coefficients`` after a change of its atmosphere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.training import build_evidence

PACKAGED = Path(__file__).parents[2] / "core" / "models" / "weather" / "data" / "coefficients-sim.json"
DAYS = "400"
"""Of the simulator's 420 in the past: none too near to its beginning."""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        place = Path(home) / "demo"
        place.mkdir(mode=0o700)
        env = os.environ | {"PMCONSOLE_HOME": home}
        ready, keys = str(place / "sim.json"), str(place / "sim-keys")
        command = [sys.executable, "-m", "tui.cli"]
        served = subprocess.Popen(
            [*command, "sim", "--ready-file", ready, "--keys-dir", keys], env=env, stdout=subprocess.DEVNULL
        )
        try:
            while not Path(ready).exists():
                time.sleep(0.1)
            subprocess.run([*command, "models", "update", "--days", DAYS], env=env, check=True)
            subprocess.run([*command, "models", "fit"], env=env, check=True)
            (histories,) = (place / "training").iterdir()
            build_evidence.build(histories, round(time.time() * 1000))
        finally:
            served.terminate()
            served.wait()
        shutil.copyfile(place / "coefficients.json", PACKAGED)


if __name__ == "__main__":
    main()
