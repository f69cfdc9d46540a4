"""Every case of the corpus about falco.yaml's `rules`, `priority` and `rule_matching` has Falco's alerts, or an error."""

import json

from lanner.config.falco import MatchPolicy
from lanner.config.read import read_configuration
from lanner.rules import compile_rules, load_rules_text
from lanner.rules.resolve.select import select
from lanner.sdk.errors import ConfigError

from .executors import Both

# ruff: noqa: T201 - the report is meant to be read


def configured(case):
    """Return the part of a falco.yaml that the case tests."""
    return json.dumps({"rule_matching": "all"} | case["config"] | ({} if case["select"] is None else {"rules": case["select"]}))


def outcome(case, kv, path):
    path.write_text(configured(case))
    try:
        falco = read_configuration(str(path), {}, ()).falco
    except ConfigError:
        return {"rc": 1, "alerts": []}
    ruleset = load_rules_text(case["rules"], kv.catalog)
    ready = compile_rules(ruleset, kv.catalog, select(ruleset.rules, falco.rules, falco.priority))
    alerts = []
    current = 0

    def get(slot):
        request = ready.plan.fields[slot]
        return kv.value(current, request.name, request.argument)

    executor = Both(ready.plan, get, first=falco.rule_matching is MatchPolicy.FIRST)
    for current in kv.numbers():
        alerts += [[current, ready.rules[number].name] for number in executor.match()]
    return {"rc": 0, "alerts": alerts}


def test_the_selected_rules_raise_falcos_alerts_in_its_order(corpus, kv, tmp_path, capsys):
    cases = corpus.cases("selection.jsonl")
    wrong = []
    for case in cases:
        got, expect = outcome(case, kv, tmp_path / "falco.yaml"), case["expect"]
        wanted = {"rc": int(expect["rc"] != 0), "alerts": expect.get("alerts", [])}
        if got != wanted:
            wrong.append((case, got, wanted))
    with capsys.disabled():
        print(f"\nselection: {len(cases) - len(wrong)} agree, {len(wrong)} disagree")
        for case, got, wanted in wrong[:25]:
            print("  ", case["id"], case["select"], case["config"])
            print("     ", got, "expected", wanted)
    assert cases
    assert not wrong
