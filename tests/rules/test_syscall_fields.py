"""Every field of system calls with every kind of comparison, and event types: Falco 0.44.1's answers to `-V`.

A line of the data is [condition, output, findings as [code, message]]; a string instead of the findings is the error that ended Falco.
"""

import json
import lzma
from pathlib import Path

from lanner.rules.check.syscall import SyscallCatalog
from lanner.rules.report.validator import Validator

DATA = Path(__file__).parents[1] / "data" / "syscall-fields.jsonl.xz"


def test_fields_of_system_calls_take_what_falco_lets_them_take():
    wrong = []
    for line in lzma.decompress(DATA.read_bytes()).decode().splitlines():
        condition, output, expected = json.loads(line)
        rule = f"- rule: R\n  desc: d\n  source: syscall\n  condition: {json.dumps(condition)}\n  output: {json.dumps(output)}\n  priority: INFO\n"
        found = [[finding.code, finding.message] for finding in Validator([SyscallCatalog()], {}).load("rules.yaml", rule).findings]
        if found != ([["LOAD_ERR_COMPILE_CONDITION", expected]] if isinstance(expected, str) else expected):
            wrong.append((condition, output, expected, found))
    assert not wrong
