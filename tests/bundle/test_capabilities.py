"""Classes of each combination of capabilities, built for each plugin API: they load, and a host can use them."""

import json

import pytest
from elftools.elf.elffile import ELFFile

from .conftest import PLUGINS, lanner

pytestmark = pytest.mark.slow

SOURCES = ("Sources", "Both", "BothAndMore")
EXTRACTORS = ("Extracts", "ExtractsKernel", "ExtractsAny")
APIS = pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])


@APIS
@pytest.mark.parametrize("cls", EXTRACTORS)
def test_an_extractor_loads_and_extracts(built, run_host, tmp_path, cls, api):
    events = tmp_path / "events"
    events.write_text('{"n": 3}\n{"n": 4}\n{}\n')
    report = run_host(built(f"kinds:{cls}", api), "--feed", str(events))
    assert report["violations"] == [], report
    assert report["info"]["capabilities"] == ["extraction"]
    (run,) = report["runs"]
    assert [event["fields"] for event in run["events"]] == [
        {"kinds.number": 3, "kinds.doubled": 6},
        {"kinds.number": 4, "kinds.doubled": 8},
        {},
    ]


@APIS
@pytest.mark.parametrize("cls", SOURCES)
def test_a_source_loads_and_gives_its_events(built, run_host, cls, api):
    if (cls, api) == ("BothAndMore", "0.3"):
        pytest.skip("API 0.3 has no such plugins: the build refuses the class, as the test below says")
    report = run_host(built(f"kinds:{cls}", api))
    assert report["violations"] == [], report
    assert report["info"]["capabilities"] == ["sourcing"] + ["extraction"] * (cls != "Sources")
    (run,) = report["runs"]
    fields = [{}, {}] if cls == "Sources" else [{"kinds.number": 1}, {"kinds.number": 2}]
    assert [(event["payload"], event.get("fields", {})) for event in run["events"]] == [('{"n": 1}', fields[0]), ('{"n": 2}', fields[1])]


def test_a_source_that_reads_other_sources_is_refused_for_the_oldest_api(tmp_path):
    done = lanner("build", f"{PLUGINS / 'kinds.py'}:BothAndMore", "--api", "0.3", "-o", tmp_path / "lib.so")
    assert done.returncode != 0
    assert "API 0.3 has either sources or extractors" in done.stderr


@pytest.mark.parametrize("cls", [*SOURCES[1:], *EXTRACTORS])
def test_fields_are_asked_of_plugin_events_only(bound, run_host, tmp_path, cls):
    """Else a Falco with a driver compares the schema of its kernel events with that of the plugin, and does not start."""
    events = tmp_path / "events"
    events.write_text('{"n": 3}\n')
    (run,) = run_host(bound(f"kinds:{cls}"), "--feed", str(events))["runs"]
    assert run["event_types"] == [322]


@pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])
def test_an_extractor_of_all_sources_names_none(bound, run_host, api):
    assert "get_extract_event_sources" not in run_host(bound("kinds:ExtractsAny", api), "--info")["info"]["symbols"]
    assert json.loads(lanner("inspect", bound("kinds:ExtractsAny", api), "--json").stdout)["extract_sources"] == []
    assert "fields for    all event sources" in lanner("inspect", bound("kinds:ExtractsAny", api)).stdout


@APIS
def test_the_loader_calls_nothing_by_way_of_a_symbol_that_can_be_hidden(bound, api):
    """Hosts infer capabilities from symbols; a call by way of a hidden one would go to address 0."""
    with bound("kinds:Sources", api).open("rb") as file:
        elf = ELFFile(file)
        names = [symbol.name for symbol in elf.get_section_by_name(".dynsym").iter_symbols()]
        relocated = {
            names[relocation["r_info_sym"]]
            for section in elf.iter_sections()
            if section["sh_type"] in {"SHT_RELA", "SHT_REL"}
            for relocation in section.iter_relocations()
        }
    assert not {name for name in relocated if name.startswith("plugin_")}
