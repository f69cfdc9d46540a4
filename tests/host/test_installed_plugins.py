"""Plugins of installed packages are found by name, through the group of entry points `lanner.plugins`."""

import sys

import pytest

import lanner
from lanner.config.falco import Falco, PluginEntry
from lanner.config.plugin_entries import select_plugins
from lanner.host import plugin_loader
from lanner.host.plugin_loader import PluginImportError, PluginNotFoundError, load_plugin

PLUGIN = '''
import lanner

class Doors(lanner.Plugin):
    """Doors."""

    name, version, contact, extract_sources = "{name}", "0.1.0", "github.com/you/doors", ("docker",)
    fields = (lanner.field("doors.name", lanner.payload["name"], "Name"),)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install(package, entry, value)` installs a package of one module that declares an entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))
    plugin_loader._warn_of_namesakes.cache_clear()

    def make(package, entry, value=None, name=None, source=PLUGIN):
        module = package.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source.replace("{name}", name or entry))
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[lanner.plugins]\n{entry} = {value or f'{module}:Doors'}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)
        return tmp_path

    return make


def test_an_installed_plugin_is_found_by_its_name(install):
    install("lanner-doors", "doors")
    assert load_plugin("doors").__name__ == "Doors"
    assert load_plugin("doors").__module__ == "lanner_doors"


@pytest.mark.parametrize("library", ["doors", "libdoors.so", "/usr/share/falco/plugins/libdoors.so"])
def test_falco_yaml_may_name_an_installed_plugin(install, library):
    install("lanner-doors", "doors")
    (setup,) = select_plugins(Falco(plugins=(PluginEntry("doors", library),)), None)
    assert setup.target == "doors"


def test_two_packages_with_the_same_plugin_are_a_conflict_with_both_names(install):
    install("lanner-doors", "doors")
    install("other-doors", "doors")
    with pytest.raises(PluginImportError) as caught:
        load_plugin("doors")
    assert str(caught.value) == (
        "2 installed packages have a plugin named 'doors': lanner-doors 1.0 (lanner_doors:Doors) and other-doors 1.0 (other_doors:Doors). "
        "Uninstall one of them, or write its module:Class"
    )
    assert load_plugin("other_doors:Doors").__module__ == "other_doors"


def test_a_package_that_is_on_the_path_twice_is_no_conflict(install, monkeypatch):
    folder = install("lanner-doors", "doors")
    monkeypatch.syspath_prepend(f"{folder}/.")
    assert load_plugin("doors").__name__ == "Doors"


def test_a_built_in_plugin_cannot_be_replaced_and_that_is_logged_once(install, caplog):
    install("evil-docker", "docker")
    for _ in range(2):
        assert load_plugin("docker").__module__.startswith("lanner.docker")
    (record,) = caplog.records
    assert record.getMessage() == (
        "the package evil-docker 1.0 declares a plugin named 'docker', which is ignored, because that is the name of Lanner's own: "
        "rename it, or write evil_docker:Doors"
    )


def test_another_name_in_the_class_is_an_error(install):
    install("lanner-doors", "doors", name="gates")
    with pytest.raises(PluginImportError, match=r"the entry point 'doors' .* is lanner_doors:Doors, whose name is 'gates': give both"):
        load_plugin("doors")


@pytest.mark.parametrize("value", ["lanner_doors", "lanner_doors:", "lanner_doors:Doors [extra]"])
def test_an_invalid_entry_point_is_an_error(install, value):
    install("lanner-doors", "doors", value)
    with pytest.raises(
        PluginImportError, match=r"the package lanner-doors 1.0 declares the plugin 'doors' as .*: its entry point must be module:Class"
    ):
        load_plugin("doors")


def test_a_class_that_is_missing_is_an_error(install):
    install("lanner-doors", "doors", "lanner_doors:Gates")
    with pytest.raises(PluginNotFoundError, match="lanner_doors has no Gates: it has Doors"):
        load_plugin("doors")


def test_a_module_that_fails_is_an_error_with_its_reason(install):
    install("lanner-doors", "doors", source="raise ValueError('no doors')")
    with pytest.raises(PluginImportError, match=r"cannot import the plugin lanner_doors: .*ValueError: no doors"):
        load_plugin("doors")


def test_an_unknown_name_suggests_installed_ones(install):
    install("lanner-doors", "doors")
    with pytest.raises(
        PluginNotFoundError, match=r"no plugin named 'dors': did you mean 'doors'\? built-in plugins: docker; installed: .*doors"
    ):
        load_plugin("dors")


def test_a_path_and_a_module_are_no_names_of_installed_plugins(install, tmp_path, monkeypatch):
    install("lanner-doors", "doors")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "doors.py").write_text(PLUGIN.replace("{name}", "file"))
    assert lanner.sdk.authoring.plugin.plugin_info(load_plugin("doors.py")).name == "file"
    assert lanner.sdk.authoring.plugin.plugin_info(load_plugin("doors")).name == "doors"
