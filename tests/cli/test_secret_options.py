"""Options of the type Secret: their three forms, clear errors, and no command that prints them."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

VAULT = Path(__file__).parents[1] / "data" / "plugins" / "vault.py"
TOKEN = "open-sesame-\u00e9"
REQUIRED = "plugin vault: the option `$.apiPat` is required: Access token of the API"


@pytest.fixture
def run(lanner, rules):
    """`run(config, *options)`: run the plugin; no output has the token in it."""
    path = rules("vault", "vault.text exists", "%vault.text")

    def start(config, *options, command=("run", VAULT, "-r", path)):
        given = () if config is None else ("--config", config)
        done = lanner(*command, *given, *options, env={"VAULT_TOKEN": TOKEN, "VAULT_EMPTY": ""})
        assert "sesame" not in done.err
        assert b"sesame" not in done.out
        return done

    return start


def test_a_variable_is_read_and_nothing_shows_it(run):
    done = run("apiPat: ${VAULT_TOKEN}")
    assert f"got {len(TOKEN)} VaultConfig(api_pat=Secret(***), max_items=3, login=None)" in done.out.decode()
    assert "open: ValueError: Invalid header value b'***'" in done.err


def test_tracebacks_mask_secrets(lanner, rules, tmp_path):
    file = tmp_path / "strict.py"
    file.write_text(
        VAULT.read_text("utf-8") + "\n    def __init__(self) -> None:\n        raise ValueError(self.config.api_pat.reveal())\n"
    )
    options = ("-r", rules("vault"), "--config", "apiPat: ${VAULT_TOKEN}")
    done = lanner("run", file, *options, env={"VAULT_TOKEN": TOKEN, "LANNER_DEBUG": "1"})
    assert done.code == 1
    assert "Traceback (most recent call last):" in done.err
    assert "ValueError: ***" in done.err
    assert "sesame" not in done.err


def test_logs_of_every_command_mask_secrets(lanner, rules, tmp_path):
    file = tmp_path / "failing.py"
    file.write_text(
        VAULT.read_text("utf-8") + "\n    @lanner.field('vault.failing', 'Fails')"
        "\n    def failing(self, event: lanner.Event) -> str:\n        raise ValueError(self.config.api_pat.reveal())\n"
    )
    test = tmp_path / "test.yaml"
    test.write_text(
        f"plugin: {file}\nconfig: {{apiPat: open-sesame}}\nrules: [{rules('vault', 'vault.failing exists', '-')}]\n"
        "tests: [{name: it fails, events: ['{}'], alerts: []}]\n"
    )
    done = lanner("rules", "test", test)
    assert "lanner: ERROR: lanner.plugin.vault: vault.failing failed" in done.err
    assert "ValueError: ***" in done.err
    assert "sesame" not in done.err


def test_metrics_mask_secrets_in_the_names_of_counters(lanner, rules, tmp_path):
    file = tmp_path / "counting.py"
    file.write_text(
        VAULT.read_text("utf-8").partition("    def open")[0]
        + "    def open(self, params: str):\n        return Counting(self.config.api_pat.reveal())\n\n"
        "class Counting(lanner.OpenInstance):\n    def __init__(self, text):\n        self.counters = {f'asked {text}': 3}\n"
        "    def __iter__(self):\n        while True:\n            yield '{}'\n"
    )
    metrics = ("-o", "metrics.enabled=true", "-o", "metrics.interval=100ms", "-o", "metrics.output_rule=true", "-o", "json_output=true")
    options = ("-r", rules("vault", "vault.text exists", "-"), "--config", "apiPat: open-sesame", *metrics)
    for seconds in ("1", "10", "60"):  # a busy machine may need more to come to the first metrics
        done = lanner("run", file, *options, "--duration", seconds)
        assert b"sesame" not in done.out
        assert "sesame" not in done.err
        if b'"plugins.vault.asked' in done.out:
            return
    pytest.fail("the metrics have no counter of the plugin")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_results_of_doctor_mask_secrets_of_plugins(lanner, tmp_path, options):
    file = tmp_path / "examined.py"
    file.write_text(
        VAULT.read_text("utf-8")
        + "\n    def checks(self):\n        text = self.config.api_pat.reveal()"
        + "\n        return [lanner.Check(f'a {text}', lambda: [lanner.Finding.problem(f'b {text}', f'c {text}')])]\n"
    )
    done = lanner("doctor", file, "--config", "apiPat: ${VAULT_TOKEN}", *options, env={"VAULT_TOKEN": TOKEN})
    assert all(f"{part} ***".encode() in done.out for part in "abc")
    assert b"sesame" not in done.out


def test_a_file_is_read_without_the_line_feed_at_its_end(run, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n", "utf-8")
    assert f"got {len(TOKEN)} ".encode() in run(f"api_pat: 'file:{tmp_path}/token'").out


def test_a_text_is_taken_as_it_is(run):
    assert f"got {len(TOKEN)} ".encode() in run(json.dumps({"apiPat": TOKEN})).out


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (None, REQUIRED),
        ("max_items: 5", REQUIRED),
        ("apiPat: ${VAULT_NONE}", "the environment variable VAULT_NONE is not set - at `$.apiPat`"),
        ("apiPat: ${VAULT_EMPTY}", "the environment variable VAULT_EMPTY is empty"),
        ("apiPat: ${open-sesame}", "invalid name of an environment variable"),
        ("apiPat: ''", "the secret is empty"),
        ("apiPat: file:open-sesame", "the path after file: must be absolute"),
        ("apiPat: file:/nonexistent/token", "cannot read the file /nonexistent/token: No such file or directory - at `$.apiPat`"),
        ("apiPat: file:/etc", "cannot read the file /etc: Is a directory"),
        ("apiPat: file:/bin/sh", "cannot read the file /bin/sh: it is larger than 64 KiB"),
        ("apiPat: 0123", "expected a string, got a number"),
        ("apiPat: [open-sesame]", "expected a string, got a list"),
        ("{apiPat: open-sesame, api_pat: open-sesame}", "Object contains `apiPat` twice, in different spellings"),
        ("{apiPat: open-sesame, login: {user: a}}", "the option `$.login.pin` is required: Personal number"),
        ("{apiPat:open-sesame}", "unknown option `$.apiPat...`; did you mean `apiPat`?"),
        ('{"apiPat": "open-sesame', "the configuration is neither JSON"),
        ("apiPat: 'open-sesame", "the configuration is neither JSON nor YAML"),
        ("apiPat:open-sesame", "the configuration is a single value"),
    ],
)
def test_an_error_names_the_option_and_the_problem(run, config, says):
    done = run(config, "--dry-run")
    assert done.code == 1
    assert says in done.err


@pytest.mark.parametrize(
    "command",
    [("run", VAULT, "--dry-run"), ("record", VAULT, "-o", "-"), ("doctor", VAULT, "--json"), ("run", VAULT, "--plugin-info", str(VAULT))],
    ids=lambda command: command[0],
)
def test_every_command_that_creates_the_plugin_asks_for_a_required_option(lanner, rules, command):
    options = ("-r", rules("vault")) if command[0] == "run" else ()
    done = lanner(*command, *options)
    assert done.code == 1
    assert "the option `$.apiPat` is required: Access token of the API" in done.err + done.out.decode()


def test_tests_of_rules_get_their_options_from_the_file(lanner, rules, tmp_path):
    file = tmp_path / "vault_test.yaml"
    text = f"plugin: {VAULT}\nrules: [{rules('vault', output='-')}]\ntests: [{{name: it fires, events: ['{{}}'], alerts: [Something]}}]\n"
    file.write_text(text)
    done = lanner("rules", "test", file)
    assert f"{file}:1: {REQUIRED}; set it in `config`, as in `apiPat: ...`\n" in done.err
    file.write_text(text + "config: {apiPat: test}\n")
    assert lanner("rules", "test", file).code == 0


def test_the_table_and_the_schema_show_types_and_no_values(lanner):
    table = lanner("plugin", VAULT).lines
    assert [line.split() for line in table if line.startswith(("apiPat", "login.pin"))] == [
        ["apiPat", "secret", "required", "Access", "token", "of", "the", "API"],
        ["login.pin", "secret", "required", "Personal", "number"],
    ]
    facts = json.loads(lanner("plugin", VAULT, "--json").out)
    assert facts["required_options"] == ["apiPat"]
    assert facts["init_schema"]["properties"]["apiPat"]["writeOnly"] is True
    assert "default" not in facts["init_schema"]["properties"]["apiPat"]


def test_a_support_report_masks_secrets_by_their_type(run, rules):
    report = run('{"apiPat": "open-sesame", "login": {"pin": "sesame-pin"}}', "--support").out
    assert json.loads(report)["cmdline"].endswith('{"apiPat": ***, "login": {"pin": ***}} --support')


def test_a_support_report_masks_the_options_of_a_file(lanner, rules, tmp_path):
    file = tmp_path / "falco.yaml"
    file.write_text(
        f"plugins: [{{name: vault, library_path: '{VAULT}', init_config: {{api_pat: open-sesame}}}}]\n"
        f"load_plugins: [vault]\nrules_files: [{rules('vault')}]\n"
    )
    done = lanner("run", "-c", file, "--support")
    assert done.code == 0
    assert b"sesame" not in done.out
    assert json.loads(json.loads(done.out)["config"])["plugins"][0]["init_config"] == {"api_pat": "***"}
