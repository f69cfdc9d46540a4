"""Files that YAML readers disagree about, and mutated ones: the report is the one that Falco 0.44.1 printed for them."""

import json
import lzma
from pathlib import Path

from lanner.rules.check.syscall import SyscallCatalog
from lanner.rules.report.falco_report import as_json
from lanner.rules.report.validator import Validator

RECORDED = Path(__file__).parents[1] / "data" / "falco-corpus" / "yaml.jsonl.xz"


def test_reports_are_falcos():
    """`text` contains the bytes of a file as Latin-1, `report` the output of `falco -V rules.yaml -o json_output=true`."""
    cases = [json.loads(line) for line in lzma.decompress(RECORDED.read_bytes()).decode().splitlines()]
    wrong = []
    for case in cases:
        text = case["text"].encode("latin-1").decode("utf-8", "surrogateescape")
        report = as_json([Validator([SyscallCatalog(())], {}).load("rules.yaml", text)])
        if report != case["report"]:
            wrong.append((case["text"], report, case["report"]))
    assert not wrong
    assert len(cases) > 200
