"""Why a stored alert fired, an exception and a test for it; and plugins that crash or hang, which harm no one else."""

import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lanner.alerts.store_format import DAY
from lanner.host.plugin_loader import load_plugin
from lanner.inquiry.questions import Inquiry
from lanner.rules.lint import check_files
from lanner.sdk.authoring.plugin import plugin_info
from lanner.testing.ruletests import run_file

from ..forked import LANNER
from ..waiting import PATIENCE, until
from .conftest import RULES, StandInStore

pytestmark = pytest.mark.slow


def test_why_it_fired_part_by_part(ask, shop, event_of, tmp_path):
    found = ask("why", shop(event_of()))
    assert (found["rule"], found["matches"], found["place"]) == ("Unknown image started", True, f"{tmp_path}/shop_rules.yaml:7:3")
    parts = found["condition"]["parts"]
    assert found["deciding"] == [[0, 0], [0, 1], [1, 0]]
    assert parts[0]["parts"][1] == {
        "kind": "test",
        "holds": True,
        "text": "docker.action.name = start",
        "values": {"docker.action.name": "start"},
    }
    assert parts[1]["parts"][0]["values"] == {"docker.from": "evil:1"}
    assert found["lists"] == {"known_images": ["shop/web:1", "shop/db:1"]}


def test_the_alternative_that_holds_decides(ask, shop, event_of):
    found = ask("why", shop(event_of("exec_start: sh -c id")))
    assert found["deciding"] == [[0], [1, 1]]


def test_an_exception_names_the_container_and_the_command(ask, shop, event_of, tmp_path):
    events = [event_of("exec_start: sh -c id"), event_of("exec_start: sh -c id", "web-2"), event_of("exec_start: ls /")]
    store = shop(*events)
    found = ask("exception", store)
    assert found == {
        "text": (
            "# Save this as exceptions.yaml, and load it after the rules file of the run:\n"
            f"#   lanner run ... -r {tmp_path}/shop_rules.yaml -r exceptions.yaml\n"
            f"#   lanner rules check --plugin docker {tmp_path}/shop_rules.yaml exceptions.yaml\n"
            "- rule: Command in a container\n"
            "  exceptions:\n"
            "    - name: web_1_sh_c_id\n"
            "      fields: [docker.attributes.name, docker.exec.command]\n"
            "      comps: [=, =]\n"
            "      values:\n"
            '        - ["web-1", "sh -c id"]\n'
            "  override:\n"
            "    exceptions: append\n"
        ),
        "checked": True,
        "tried": 2,
        "notes": ["It would have silenced 1 of the 3 alerts of this rule in the store."],
    }
    # as the user does it: the file after the others
    (tmp_path / "mine.yaml").write_text(found["text"])
    (tmp_path / "mine_test.yaml").write_text(
        "rules: [shop_rules.yaml, mine.yaml]\ntests:\n- name: a\n  events:\n"
        + "".join(f"  - '{event.decode()}'\n" for event in store.events)
        + "  alerts: [Command in a container, Command in a container]\n"
    )
    assert [outcome.differences for outcome in run_file(str(tmp_path / "mine_test.yaml")).outcomes] == [[]]


def test_an_exception_counts_the_recent_alerts_that_it_would_have_silenced(ask, shop, event_of, monkeypatch):
    same, other = event_of("exec_start: sh -c id"), event_of("exec_start: ls /")
    store = shop(*[same] * 150, *[other] * 50, event_of())
    now = time.time_ns()
    store.alerts = [each._replace(arrived=now - (number >= 100) * 8 * DAY) for number, each in enumerate(store.alerts)]
    newest = store.detail(0)
    assert ask("exception", store, detail=newest)["notes"] == [
        "It would have silenced 100 of the 100 alerts of this rule of the last 7 days."
    ]
    old = store.detail(199)
    assert ask("exception", store, detail=old)["notes"] == ["It would have silenced 50 of the 200 alerts of this rule in the store."]
    monkeypatch.setattr("lanner.inquiry.cases._MOST_RECENT", 60)
    assert ask("exception", store, detail=old)["notes"] == ["It would have silenced 50 of the newest 60 alerts of this rule."]


@pytest.mark.parametrize(
    "value",
    [
        'a "quoted" word',
        "it's",
        "both ' and \"",
        "back\\slash",
        "(a, b)",
        "known_images",
        "ü €",
        "\U0001f6a8",
        "a\tb",
        "a\nb",
        "-",
        "true",
        "%x",
        "x" * 999,
        "a" + "\u202e" + "b",
        " blank ",
    ],
)
def test_an_exception_for_any_text(ask, shop, event_of, value):
    found = ask("exception", shop(event_of(image=value), event_of(name="web-2")))
    assert found.get("checked"), found
    assert found["tried"] == 1


def test_the_commands_above_an_exception_load_it_and_check_it(ask, event_of, tmp_path):
    """A run has two rules files, one with a path that a shell would split; the check needs them in this order."""
    (tmp_path / "my rules").mkdir()
    first, second = tmp_path / "my rules" / "lists.yaml", tmp_path / "my rules" / "shop.yaml"
    lists, _, rest = RULES.partition("- macro:")
    first.write_text(lists)
    second.write_text(f"- macro:{rest}")
    found = ask("exception", StandInStore([first, second], events=[event_of(), event_of(name="web-2")]))
    (tmp_path / "exceptions.yaml").write_text(found["text"])
    title, run, check_line = (line.removeprefix("# ") for line in found["text"].splitlines()[:3])
    assert title == "Save this as exceptions.yaml, and load it after the 2 rules files of the run:"
    assert shlex.split(run) == ["lanner", "run", "...", "-r", str(first), "-r", str(second), "-r", "exceptions.yaml"]
    command, *arguments = shlex.split(check_line)
    assert command == "lanner"
    checked = subprocess.run([LANNER, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (checked.returncode, checked.stdout) == (0, "3 files, 2 rules: no findings\n")


def test_an_exception_to_the_plugins_own_rules_is_loaded_after_them(ask, event_of):
    own = Path(plugin_info(load_plugin("docker")).rules)
    found = ask("exception", StandInStore([own], events=[event_of("exec_start: sh -c id")]))
    assert (
        "#   lanner run ... -r plugin -r exceptions.yaml\n#   lanner rules check --plugin docker plugin exceptions.yaml\n" in found["text"]
    )


def test_a_path_of_a_rules_file_ends_no_comment(ask, event_of, tmp_path):
    path = tmp_path / "shop\n- rule: x.yaml"
    path.write_text(RULES)
    found = ask("exception", StandInStore([path], events=[event_of()]))
    assert [line[:2] for line in found["text"].splitlines()[:4]] == ["# ", "# ", "# ", "- "]


def test_a_run_with_many_rules_files_has_a_short_comment(ask, event_of, tmp_path):
    paths = [tmp_path / f"{number}.yaml" for number in range(6)]
    for path in paths:
        path.write_text("- list: none\n  items: []\n")
    paths[0].write_text(RULES)
    text = ask("exception", StandInStore(paths, events=[event_of()]))["text"]
    assert text.startswith("# Save this as exceptions.yaml, and load it after the 6 rules files of the run:\n- rule: ")


def test_two_exceptions_of_a_rule_have_different_names(ask, shop, event_of, tmp_path):
    store = shop(event_of(), event_of(name="web-2"))
    first = ask("exception", store)["text"]
    (tmp_path / "mine.yaml").write_text(first)
    both = type(store)([tmp_path / "shop_rules.yaml", tmp_path / "mine.yaml"], events=[event_of(name="web-1", image="other:1")])
    second = ask("exception", both)["text"]
    (tmp_path / "more.yaml").write_text(second)
    assert not check(tmp_path / "shop_rules.yaml", tmp_path / "mine.yaml", tmp_path / "more.yaml")


def check(*files):
    from lanner.host.plugin_loader import load_plugin
    from lanner.host.trial import LoadedRules

    return [each for each in check_files(files, LoadedRules(load_plugin("docker"), files).catalog) if each.severity == "error"]


def test_a_rule_test_that_passes(ask, shop, event_of, tmp_path):
    found = ask("test", shop(event_of(note="it's")))
    assert found["checked"] is True
    assert f"rules: [{tmp_path}/shop_rules.yaml]\n" in found["text"]
    assert 'output: "unknown image (image=evil:1 container=web-1)"\n' in found["text"]
    path = tmp_path / "given_test.yaml"
    path.write_text(found["text"])
    assert [outcome.passed for outcome in run_file(str(path)).outcomes] == [True]


def test_the_plugins_own_rules_are_named_by_their_word(ask, event_of):
    from tests.inquiry.conftest import StandInStore

    from lanner.host.plugin_loader import load_plugin
    from lanner.sdk.authoring.plugin import plugin_info

    store = StandInStore([Path(plugin_info(load_plugin("docker")).rules)], events=[event_of("exec_start: cat /etc/shadow")])
    assert ask("test", store)["text"].startswith(
        "# Save this as alert_test.yaml: lanner rules test alert_test.yaml\nplugin: docker\nrules: [plugin]\n"
    )
    assert "docker.exec.command" in ask("exception", store)["text"]


def test_all_alerts_of_an_event_are_in_its_test(ask, shop, event_of):
    found = ask("test", shop(event_of(), rule_matching="all"))
    assert "    all_matches: true\n" in found["text"]


@pytest.mark.parametrize("kind", ["why", "exception", "test"])
def test_what_is_missing_is_named(ask, shop, event_of, kind):
    store = shop(event_of())
    cases = {
        "the event has 40,000 bytes, of which the store keeps the first": store.detail(event_size=40_000),
        "the alert has no event: Lanner itself raised it": store.detail(event=b"", event_size=0),
        "the store describes the run 5ad0c0de incompletely": store.detail(run=store.run._replace(about={})),
        "the rule does not match the stored event": store.detail(event=b"{}", event_size=2),
        "no rule 'Renamed'": store.detail(alert=store.alerts[0]._replace(rule="Renamed")),
    }
    for reason, detail in cases.items():
        found = ask(kind, store, detail=detail)
        assert list(found) == ["unavailable"]
        assert reason in found["unavailable"]
    store.files.clear()
    assert ask(kind, store)["unavailable"].endswith("shop_rules.yaml as this run loaded it")


def test_an_event_that_is_not_utf8(ask, shop):
    event = b'{"Type":"container","Action":"start","Actor":{"ID":"4f0c","Attributes":{"image":"ev\xffil","name":"web-1"}}}'
    store = shop(event)
    assert ask("why", store)["condition"]["parts"][1]["parts"][0]["values"] == {"docker.from": "ev\\xffil"}
    assert "not UTF-8" in ask("test", store)["unavailable"]
    assert "docker.from" not in ask("exception", store)["text"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os.kill(os.getpid(), 11)", "crashed (SIGSEGV)"),
        ("ctypes.string_at(0)", "crashed (SIGSEGV)"),
        ("os._exit(0)", "ended the process"),
        ("time.sleep(1000)", "did not answer in time"),
        ("while True:\n                try: time.sleep(9)\n                except BaseException: pass", "did not answer in time"),
    ],
)
def test_a_plugin_that_crashes_or_hangs_is_named(ask, own_plugin, shop, event_of, code, reason):
    store = own_plugin(code)
    seconds = 4 if "time" in reason else 60
    found = ask("why", store, seconds=seconds)
    assert "/shop.py " in found["unavailable"]
    assert reason in found["unavailable"]
    begin = time.monotonic()
    assert ask("exception", store, seconds=seconds) == found  # without another attempt
    assert time.monotonic() - begin < seconds
    assert ask("why", shop(event_of()), seconds=60)["matches"] is True


def test_a_plugin_that_takes_all_memory_is_limited(ask, own_plugin):
    found = ask("why", own_plugin("b = bytearray(1 << 40)"), seconds=60)
    assert "the rule does not match the stored event" in found["unavailable"] or "MemoryError" in found["unavailable"]


def test_output_of_a_plugin_is_not_taken_for_an_answer(ask, own_plugin):
    found = ask(
        "why", own_plugin("print('x' * 99999, flush=True); os.write(1, b'junk'); sys.stderr.write('junk'); os.read(0, 1)"), seconds=60
    )
    assert found["matches"] is True


def test_one_process_answers_all_questions_of_a_run(shop, event_of):
    inquiry = Inquiry(seconds=60)
    try:
        store = shop(event_of(), event_of(name="web-2"))
        numbers = set()
        for number in (0, 1, 0):
            assert inquiry.ask("why", store.detail(number), store)["matches"] is True
            numbers.add(inquiry._process._process.pid)
        assert len(numbers) == 1
        os.kill(numbers.pop(), 9)
        until(lambda: inquiry._process._process.poll() is not None)
        assert inquiry.ask("why", store.detail(), store)["matches"] is True
    finally:
        inquiry.close()


def test_closing_does_not_wait_for_an_answer(own_plugin):
    inquiry = Inquiry(seconds=60)
    store = own_plugin("time.sleep(1000)")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(inquiry.ask("why", store.detail(), store)))
    thread.start()
    until(lambda: inquiry._process)
    begin = time.monotonic()
    inquiry.close()
    thread.join(PATIENCE)
    assert time.monotonic() - begin < PATIENCE
    assert list(answers[0]) == ["unavailable"]
    assert inquiry.ask("why", store.detail(), store) == {"unavailable": "this process is ending"}


def test_the_process_ends_with_its_parent(own_plugin, tmp_path):
    own_plugin("pass")
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-P', '-m', 'lanner.inquiry.answers'], stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(p.pid, flush=True)\n"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=PATIENCE).stdout)

    def is_over():
        try:
            return b"lanner" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:  # it has ended
            return True

    until(is_over)


def test_a_plugin_that_cannot_be_imported_is_named(ask, own_plugin, tmp_path):
    store = own_plugin("pass")
    for text, reason in (("def (", "SyntaxError"), ("import no_such_module", "no_such_module"), ("", "no class that derives from")):
        (tmp_path / "shop.py").write_text(text)
        assert reason in ask("why", store, seconds=60 + len(text))["unavailable"]


CONFIGURED = """\
class Cities(lanner.Config):
    city: str
    {}: {}


class Shop(lanner.Plugin):
    \"\"\"Orders of a shop.\"\"\"

    config: Cities
"""


@pytest.fixture
def configured(own_plugin, tmp_path):
    """`configured(name, type)`: a store whose plugin requires two options."""

    def make(name="token", kind="lanner.Secret", check="pass"):
        store = own_plugin("pass")
        path = tmp_path / "shop.py"
        before = 'class Shop(lanner.Plugin):\n    """Orders of a shop."""\n'
        init = f"\n    def __init__(self):\n        {check}\n"
        path.write_text(path.read_text().replace(before, CONFIGURED.format(name, kind) + init))
        return store

    return make


@pytest.mark.parametrize("kind", ["lanner.Secret", "int", "float", "bool", "list[str]", "dict[str, int]", "int | None", "str"])
def test_required_options_have_placeholders_and_the_answers_say_so(ask, configured, kind):
    store = configured("more", kind)
    for question in ("why", "exception", "test"):
        found = ask(question, store)
        silenced = ["It would have silenced the only alert of this rule in the store."] if question == "exception" else []
        assert found["notes"] == [*silenced, "options of shop that the store does not contain have placeholders: city, more"]
    assert "\nconfig: {" in found["text"]
    assert run_text(found["text"])


def run_text(text):
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix="_test.yaml") as file:
        file.write(text)
        file.flush()
        return all(outcome.passed for outcome in run_file(file.name).outcomes)


def test_options_are_given_by_config_if_the_plugin_refuses_placeholders(ask, configured):
    store = configured("zone", "str", "if self.config.zone != 'west': raise lanner.ConfigError('no such zone: set zone')")
    found = ask("why", store)["unavailable"]
    assert "--config" in found
    found = ask("why", store, config='{"city": "Bonn", "zone": "west"}')
    assert (found["matches"], found["notes"]) == (True, [])


def test_other_values_than_in_the_alert_are_named(ask, shop, event_of):
    store = shop(event_of())
    alert = store.alerts[0]
    changed = alert._replace(line=alert.line.replace(b"evil:1", b"evil:2"))
    assert ask("why", store, detail=store.detail(alert=changed))["notes"] == [
        "fields that have other values now than in the alert: docker.from"
    ]


def test_fields_of_a_second_plugin_are_explained(ask, event_of, tmp_path):
    (tmp_path / "short.py").write_text(EXTRACTOR)
    (tmp_path / "rules.yaml").write_text(
        "- rule: Long name\n  desc: d\n  condition: docker.type = container and short.length > 3\n  output: long %short.length\n"
        "  priority: NOTICE\n  source: docker\n  tags: [a]\n"
    )
    tmp_path.chmod(0o700)
    (tmp_path / "short.py").chmod(0o600)
    store = type_of_store()([tmp_path / "rules.yaml"], events=[event_of()], beside=(tmp_path / "short.py",))
    assert ask("why", store)["condition"]["parts"][1]["values"] == {"short.length": 5}
    assert "one plugin" in ask("test", store)["unavailable"]
    assert ask("exception", store)["checked"] is True


EXTRACTOR = '''\
import lanner


class Short(lanner.Plugin):
    """Lengths."""

    name, version, contact = "short", "0.1.0", "the tests"
    extract_sources = ("docker",)

    @lanner.field("short.length", "Length of the name")
    def length(self, event: lanner.Event) -> int:
        return len(event.json["Actor"]["Attributes"]["name"])
'''


def type_of_store():
    from tests.inquiry.conftest import StandInStore

    return StandInStore


class TestTrust:
    """A store from elsewhere must not choose what code runs here."""

    def test_a_file_of_another_machine_is_not_loaded(self, ask, own_plugin):
        store = own_plugin("pass", about={"machine": "0" * 64})
        found = ask("why", store)["unavailable"]
        assert "was on another machine: to load it, add --plugin" in found
        assert ask("why", store, plugins=[store.about["plugins"][0]["target"]])["matches"] is True

    def test_a_module_is_not_loaded(self, ask, own_plugin):
        store = own_plugin("pass", about={"plugins": [{"target": "shop:Shop"}]})
        assert "shop:Shop is a module, which Lanner loads only on request" in ask("why", store)["unavailable"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file to another user")
    def test_a_file_of_another_user_is_not_loaded(self, ask, own_plugin, tmp_path):
        store = own_plugin("pass")
        assert ask("why", store)["matches"] is True
        os.chown(tmp_path / "shop.py", 65534, 65534)
        assert "others can write" in ask("why", store)["unavailable"]

    def test_a_file_that_all_can_write_is_not_loaded(self, ask, own_plugin, tmp_path):
        store = own_plugin("pass")
        (tmp_path / "shop.py").chmod(0o666)
        assert "others can write" in ask("why", store)["unavailable"]

    def test_a_file_that_has_gone_is_named(self, ask, own_plugin, tmp_path):
        store = own_plugin("pass")
        (tmp_path / "shop.py").unlink()
        assert "shop.py cannot be loaded: No such file or directory" in ask("why", store)["unavailable"]

    @pytest.mark.parametrize("content", [None, b"", b"uninitialized\n"])
    def test_a_machine_without_an_id_does_not_claim_that_it_is_another_one(self, ask, own_plugin, tmp_path, monkeypatch, content):
        path = tmp_path / "machine-id"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr("lanner.alerts.machine_mark._PATH", path)
        store = own_plugin("pass")
        assert store.about["machine"] == ""
        found = ask("why", store)["unavailable"]
        assert "this machine has no valid /etc/machine-id, so that Lanner cannot determine whether the run was on it" in found
        assert "another machine" not in found
        assert ask("why", store, plugins=[store.about["plugins"][0]["target"]])["matches"] is True

    def test_a_run_without_an_id_does_not_count_as_one_of_another_machine(self, ask, own_plugin, tmp_path, monkeypatch):
        (tmp_path / "machine-id").write_text("0123456789abcdef" * 2)
        monkeypatch.setattr("lanner.alerts.machine_mark._PATH", tmp_path / "machine-id")
        found = ask("why", own_plugin("pass", about={"machine": ""}))["unavailable"]
        assert "the run was on a machine without a valid /etc/machine-id" in found
