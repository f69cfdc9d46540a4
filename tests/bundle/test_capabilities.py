"""Classes of each combination of capabilities, built for each plugin API: they load, and a host can use them."""

import json

import pytest
from elftools.elf.elffile import ELFFile

from .conftest import PLUGINS, lanner

SOURCES = ("Sources", "Both", "BothAndMore")
EXTRACTORS = ("Extracts", "ExtractsKernel", "ExtractsAny")
FORMS = pytest.mark.parametrize("bundle", [(), ("--bundle",)], ids=["bound", "bundled"])
APIS = pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """`made(cls, api, *options)`: the .so of a class of kinds.py, built once."""
    files = {}

    def make(cls, api, *options):
        if (cls, api, options) not in files:
            path = tmp_path_factory.mktemp("kinds") / "libkinds.so"
            done = lanner("build", f"{PLUGINS / 'kinds.py'}:{cls}", "--api", api, "-o", path, *options)
            assert done.returncode == 0, done.stderr
            assert "In falco.yaml" in done.stdout
            files[cls, api, options] = path
        return files[cls, api, options]

    return make


@FORMS
@APIS
@pytest.mark.parametrize("cls", EXTRACTORS)
def test_an_extractor_loads_and_extracts(made, run_host, tmp_path, cls, api, bundle):
    events = tmp_path / "events"
    events.write_text('{"n": 3}\n{"n": 4}\n{}\n')
    report = run_host(made(cls, api, *bundle), "--feed", str(events))
    assert report["violations"] == [], report
    assert report["info"]["capabilities"] == ["extraction"]
    (run,) = report["runs"]
    assert [event["fields"] for event in run["events"]] == [
        {"kinds.number": 3, "kinds.doubled": 6},
        {"kinds.number": 4, "kinds.doubled": 8},
        {},
    ]


@FORMS
@APIS
@pytest.mark.parametrize("cls", SOURCES)
def test_a_source_loads_and_gives_its_events(made, run_host, cls, api, bundle):
    if (cls, api) == ("BothAndMore", "0.3"):
        pytest.skip("API 0.3 has no such plugins: the build refuses the class, as the test below says")
    report = run_host(made(cls, api, *bundle))
    assert report["violations"] == [], report
    assert report["info"]["capabilities"] == ["sourcing"] + ["extraction"] * (cls != "Sources")
    (run,) = report["runs"]
    fields = [{}, {}] if cls == "Sources" else [{"kinds.number": 1}, {"kinds.number": 2}]
    assert [(event["payload"], event.get("fields", {})) for event in run["events"]] == [('{"n": 1}', fields[0]), ('{"n": 2}', fields[1])]


def test_a_source_that_reads_other_sources_is_refused_for_the_oldest_api(tmp_path):
    done = lanner("build", f"{PLUGINS / 'kinds.py'}:BothAndMore", "--api", "0.3", "-o", tmp_path / "lib.so")
    assert done.returncode != 0
    assert "API 0.3 has sources or extractors" in done.stderr


@pytest.mark.parametrize("cls", [*SOURCES[1:], *EXTRACTORS])
def test_fields_are_asked_of_plugin_events_only(made, run_host, tmp_path, cls):
    """Else a Falco with a driver compares the schema of its kernel events with that of the plugin, and does not start."""
    events = tmp_path / "events"
    events.write_text('{"n": 3}\n')
    (run,) = run_host(made(cls, "3"), "--feed", str(events))["runs"]
    assert run["event_types"] == [322]


@pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])
def test_an_extractor_of_all_sources_names_none(made, run_host, api):
    assert "get_extract_event_sources" not in run_host(made("ExtractsAny", api), "--info")["info"]["symbols"]
    assert json.loads(lanner("inspect", made("ExtractsAny", api), "--json").stdout)["extract_sources"] == []
    assert "fields for    all event sources" in lanner("inspect", made("ExtractsAny", api)).stdout


@APIS
def test_the_loader_calls_nothing_by_way_of_a_symbol_that_can_be_hidden(made, api):
    """Hosts infer capabilities from symbols; a call by way of a hidden one would go to address 0."""
    with made("Sources", api).open("rb") as file:
        elf = ELFFile(file)
        names = [symbol.name for symbol in elf.get_section_by_name(".dynsym").iter_symbols()]
        relocated = {
            names[relocation["r_info_sym"]]
            for section in elf.iter_sections()
            if section["sh_type"] in {"SHT_RELA", "SHT_REL"}
            for relocation in section.iter_relocations()
        }
    assert not {name for name in relocated if name.startswith("plugin_")}
