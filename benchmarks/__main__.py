"""`python -m benchmarks [--short] [PART]...`: all parts by default; `NAMES` lists them.

`--short` measures too few events for meaningful figures, and only checks that every part works and measures what it sends.
"""

import importlib
import os
import resource
import subprocess
import sys
import time

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
    """Run each of several parts in its own process: a child's peak memory counts what its parent held.

    A part that fails does not keep the others from being measured.
    """
    if "--short" in names:
        os.environ["LANNER_BENCHMARKS"] = "short"
        names = [name for name in names if name != "--short"]
    for name in names:
        if name not in NAMES:
            sys.exit(f"unknown benchmark {name!r}: choose from {', '.join(NAMES)}")
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").main()
        return
    took: dict[str, float] = {}
    failed = []
    for name in names or NAMES:
        begin, cpu = time.monotonic(), _cpu_of_children()
        if subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode:
            failed.append(name)
        took[name] = time.monotonic() - begin
        parts = f"{len(took)} of {len(names or NAMES)} parts {sum(took.values()):.0f} s"
        _say(f"{name} took {took[name]:.0f} s and {_cpu_of_children() - cpu:.0f} s of CPU, {parts}")
    _say("seconds: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in took.items()))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _say(what: str) -> None:
    # not `measure.progress`: that module reads whether this is a short run when it is imported
    print(f"benchmarks: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
