"""A built plugin reads secrets of its options, requires them, and does not tell them to its host."""

import json

import pytest

from lanner.bundle.probe import probe

from .conftest import PLUGINS, lanner

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vault(made_once):
    """The plugin's .so, and what the build printed."""

    def make(path):
        done = lanner("build", PLUGINS / "vault.py", "-o", path)
        assert done.returncode == 0, done.stderr
        path.with_suffix(".txt").write_text(done.stdout + done.stderr)

    return made_once("secrets/libvault.so", make)


def test_the_build_asks_for_required_options(vault):
    told = vault.with_suffix(".txt").read_text()
    assert "built; not tried: init with options, and reading events, because these options are required: apiPat\n" in told
    assert "    init_config:\n      apiPat: ${VAULT_API_PAT}  # required: Access token of the API\n" in told


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "plugin vault: the option `$.apiPat` is required: Access token of the API; set it in init_config, as in `apiPat: ...`"),
        ('{"apiPat": "${VAULT_NONE}"}', "plugin vault: the environment variable VAULT_NONE is not set - at `$.apiPat`"),
        ('{"apiPat": "file:/nonexistent"}', "plugin vault: cannot read the file /nonexistent: No such file or directory - at `$.apiPat`"),
        ('{"apiPat": "open-sesame', "plugin vault: the configuration is not JSON: Input data was truncated"),
        ('{"apiPat": "open-sesame", "api_pat": "b"}', "plugin vault: Object contains `apiPat` twice, in different spellings - at `$`"),
    ],
)
def test_init_fails_with_the_option_and_the_problem(vault, config, says):
    assert probe(vault, config=config).init_error == says


def test_an_error_of_the_source_is_masked(vault, tmp_path):
    (tmp_path / "token").write_text("open-sesame\n")
    seen = probe(vault, config=json.dumps({"api_pat": f"file:{tmp_path}/token", "max_items": 0}))
    assert seen.init_error == ""
    assert "Invalid header value b'***'" in seen.read_error + seen.open_error
