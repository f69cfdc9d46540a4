"""`python -m benchmarks [--short] [PART]...`: all parts by default; `NAMES` lists them.

`--short` measures too few events for meaningful figures, and only checks that every part works and measures what it sends.
"""

import importlib
import os
import subprocess
import sys

NAMES = (
    "start",
    "load",
    "pieces",
    "lines",
    "words",
    "executor",
    "replay",
    "live",
    "plugin",
    "engine",
    "outputs",
    "top",
    "webhook",
    "tail",
    "console",
    "page",
    "history",
    "store",
)


def main(names: list[str]) -> None:
    """Run each of several parts in its own process: a child's peak memory counts what its parent held."""
    if "--short" in names:
        os.environ["LANNER_BENCHMARKS"] = "short"
        names = [name for name in names if name != "--short"]
    for name in names:
        if name not in NAMES:
            sys.exit(f"unknown benchmark {name!r}: choose from {', '.join(NAMES)}")
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").main()
        return
    for name in names or NAMES:
        if code := subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode:
            sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
