"""Options of the type Secret: their three forms, clear errors, and never their text, whatever the command prints."""

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
        ("apiPat: 0123", "expected a text, got a number"),
        ("apiPat: [open-sesame]", "expected a text, got a list"),
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
    assert f"{file}:1: {REQUIRED}; set it in `config`, as in `apiPat: ...`. The tests run with the options of `config`" in done.err
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
