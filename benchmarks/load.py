"""Time to load rules: read, resolve and compile generated files similar to Kubernetes audit rules."""

import gc
import time
from collections.abc import Iterator

from benchmarks.measure import SHORT, progress, require, size, table
from lanner.rules import Catalog, compile_rules, load_rules_text
from lanner.rules.files.load import load_text
from lanner.sdk.types import Argument, FieldInfo, FieldType

RUNS = size(5, 1)
MACROS = 45
LISTS = 10
AIMS = {48: 0.2} if SHORT else {48: 0.2, 5000: 1.0}
CATALOG = Catalog(
    [
        FieldInfo("audit.user", FieldType.STRING, "Who"),
        FieldInfo("audit.number", FieldType.UINT64, "How many"),
        FieldInfo("audit.field", FieldType.STRING, "Anything", argument=Argument(key=True, required=True)),
    ],
    "audit",
)


def rules(count: int) -> str:
    """Yield a file with that many rules, which share lists of 20 items and nested macros."""
    return "".join([*_lists(), *_macros(), *(_rule(number) for number in range(count))])


def _lists() -> Iterator[str]:
    for number in range(LISTS):
        items = ", ".join(f'"system:user-{number}-{item}"' for item in range(20))
        yield f"- list: users_{number}\n  items: [{items}]\n"


def _macros() -> Iterator[str]:
    for number in range(MACROS):
        inner = f" and macro_{number - 1}" if number % 5 == 4 else ""
        yield (
            f"- macro: macro_{number}\n  condition: (audit.user in (users_{number % LISTS}) or "
            f'audit.field[verb] in (create, update, patch) or audit.user startswith "system:{number}"{inner})\n'
        )


def _rule(number: int) -> str:
    one, two, three = number % MACROS, (number * 7 + 1) % MACROS, (number * 13 + 2) % MACROS
    return f"""\
- rule: Rule {number}
  desc: >
    An unauthorised user requested object number {number},
    or a user requested it outside working hours
  condition: >
    audit.field[verb] in (create, update, delete) and macro_{one} and macro_{two} and not macro_{three}
    and audit.field[resource] = "resource{number}" and not audit.user in (users_{number % LISTS})
  output: Thing {number} (user=%audit.user verb=%audit.field[verb] resource=%audit.field[resource] number=%audit.number)
  priority: WARNING
  source: audit
  tags: [k8s, mitre_{number % 12}, T{1000 + number % 700}]
"""


def seconds(text: str, count: int) -> tuple[float, float]:
    """Return the seconds of CPU for loading all `count` rules, and only for their YAML and its items, each the best of several runs.

    The time for freeing what was loaded does not count: a run keeps it.
    """
    whole, yaml = float("inf"), float("inf")
    for _ in range(RUNS):
        gc.collect()
        begin = time.process_time()
        rules = compile_rules(load_rules_text(text, CATALOG), CATALOG)
        whole = min(whole, time.process_time() - begin)
        require("rules", count, len(rules.rules))
        del rules
        gc.collect()
        begin = time.process_time()
        file = load_text(text, "rules.yaml")
        yaml = min(yaml, time.process_time() - begin)
        require("items", count + MACROS + LISTS, len(file.items))
        del file
    return whole, yaml


def main() -> None:
    """Print the table."""
    rows = []
    for count, aim in AIMS.items():
        progress(f"load: {count:,} rules")
        text = rules(count)
        whole, yaml = seconds(text, count)
        name = f"{count:,} rules, {MACROS} macros, {len(text) / 1024:,.0f} KiB"
        rows.append([name, f"{whole:.3f}", f"{yaml:.3f}", f"{aim:.1f}", f"{whole / aim:.2f}"])
    table(f"Loading rules, best of {RUNS}", ["", "s of CPU", "of which YAML", "aim", "time / aim"], rows)
