"""`python -m benchmarks [start|load|pieces|executor|replay|plugin|engine|outputs]...`: all of them where none is named."""

import importlib
import sys

NAMES = ("start", "load", "pieces", "executor", "replay", "plugin", "engine", "outputs")

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
        importlib.import_module(f"benchmarks.{name}").main()
