"""`python -m benchmarks [start|load|pieces|executor|replay|plugin|engine|outputs]...`: all of them where none is named."""

import importlib
import subprocess
import sys

NAMES = ("start", "load", "pieces", "executor", "replay", "plugin", "engine", "outputs")


def main(names: list[str]) -> None:
    """Several are a process each: a child's peak memory counts what its parent held."""
    for name in names:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
    if len(names) == 1:
        importlib.import_module(f"benchmarks.{names[0]}").main()
        return
    for name in names or NAMES:
        if code := subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode:
            sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
