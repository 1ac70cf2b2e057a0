"""Does `perfdb --help` answer at once? Against importing the two libraries that any such command imports."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from pairs import abba, ratio_interval

ARMS = {
    "A": [str(Path(sys.executable).parent / "perfdb"), "--help"],
    "B": [sys.executable, "-c", "import typer, rich"],
}
BOUND = 1.5
PAIRS = 20


def main() -> int:
    """0 when the ratio is within its bound."""
    took: dict[str, list[float]] = {"A": [], "B": []}
    for order in (("A", "B"), *abba(PAIRS)):
        for arm in order:
            begun = time.monotonic()
            subprocess.run(ARMS[arm], check=True, capture_output=True)
            took[arm].append(time.monotonic() - begun)
    a, b = took["A"][1:], took["B"][1:]  # the first pair warms the file cache
    ratio, low, high = ratio_interval(a, b)
    medians = f"medians {statistics.median(a) * 1e3:.0f} ms and {statistics.median(b) * 1e3:.0f} ms"
    print(
        f"perfdb --help / import typer, rich: {ratio:.3f}, 95 % interval {low:.3f} to {high:.3f} (bound {BOUND}); {medians}"
    )
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
