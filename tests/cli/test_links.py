"""`%lanner.link`: a permanent link to the alert in the console, in outputs and in fields, and its absence without a console."""

import json
import re

import pytest

from ..alerts.reading import ask

pytestmark = pytest.mark.slow

ADDRESS = "http://127.0.0.1:8766"
APPENDED = ("-o", "append_output[].extra_output=see %lanner.link")


def storing(path):
    return "-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={path}"


def addressed(address=ADDRESS):
    return "-o", f"lanner.console.address={address}"


@pytest.mark.parametrize("executor", ["native", "python"])
@pytest.mark.parametrize("address", [ADDRESS, "https://host.example/console/"])
def test_each_alert_has_a_link_with_its_key(lanner, tmp_path, address, executor):
    done = lanner("run", "docker", "--replay", "example", "--executor", executor, *APPENDED, *addressed(address), *storing(tmp_path))
    assert done.code == 0, done.err
    links = [line.rpartition(" see ")[2] for line in done.lines]
    keys = [
        f"{key}-{number}" for key, number in ask(tmp_path, "SELECT key, sequence FROM alerts JOIN runs ON run = runs.id ORDER BY alerts.id")
    ]
    assert links == [f"{address.rstrip('/')}/#alert={key}" for key in keys]
    stored = [json.loads(row[0]) for row in ask(tmp_path, "SELECT line FROM alerts ORDER BY id")]
    assert [alert["output_fields"]["lanner.link"] for alert in stored] == links


def test_links_are_fields_of_json_alerts(lanner):
    fields = ("-o", "append_output[].extra_fields[]=lanner.link", "-o", "append_output[0].extra_fields[1].shown=at %lanner.link")
    done = lanner("run", "docker", "--replay", "example", "--format", "json", *fields, *addressed())
    assert done.code == 0, done.err
    for number, line in enumerate(done.lines, 1):
        shown = json.loads(line)["output_fields"]
        assert re.fullmatch(rf"{ADDRESS}/#alert=[0-9a-f]{{8}}-{number}", shown["lanner.link"])
        assert shown["shown"] == f"at {shown['lanner.link']}"
    assert "the links of alerts (%lanner.link) lead to none" in done.err


def test_without_an_address_it_has_no_value(lanner, tmp_path):
    done = lanner("run", "docker", "--replay", "example", *APPENDED, *storing(tmp_path))
    assert done.code == 0
    assert {line.rpartition(" see ")[2] for line in done.lines} == {"<NA>"}


def test_alerts_that_differ_in_their_links_are_repeated_ones(lanner, example):
    again = lanner("run", "docker", "--replay", example, "--replay", example, *APPENDED, *addressed(), "-o", "lanner.deduplicate.window=60")
    once = lanner("run", "docker", "--replay", example, "-o", "lanner.deduplicate.window=60")
    assert len(again.lines) == len(once.lines)


@pytest.mark.parametrize("address", ["127.0.0.1:8766", "http://127.0.0.1:8766/#token=abc", "http://user@host", "ftp://x", 'http://x"y'])
def test_an_address_that_is_none_is_refused(lanner, address):
    done = lanner("run", "docker", "--replay", "example", *addressed(address))
    assert done.code == 1
    assert "$.lanner.console.address takes the beginning of the console's address" in done.err


def test_conditions_do_not_have_it_and_a_check_says_that_falco_does_not(lanner, tmp_path):
    rule = "- rule: R\n  desc: A rule.\n  condition: {}\n  output: volume %docker.actor.id {}\n  priority: INFO\n  source: docker\n  tags: [a]\n"
    path = tmp_path / "rules.yaml"
    path.write_text(rule.format("docker.type = volume and lanner.link exists", ""))
    done = lanner("rules", "check", path, "--plugin", "docker")
    assert done.code == 1
    assert "lanner.link exists only in outputs" in done.out.decode() + done.err
    path.write_text(rule.format("docker.type = volume", "%lanner.link"))
    done = lanner("rules", "check", path, "--plugin", "docker")
    assert (
        "warning: Falco has no field lanner.link and rejects the rule. (in rule 'R') [LINT_FIELD_OF_LANNER]" in done.out.decode() + done.err
    )
    done = lanner("run", "docker", "--replay", "example", "-r", path, *addressed())
    assert done.code == 0
    assert "Falco has no field" not in done.err
    assert "#alert=" in done.out.decode()
