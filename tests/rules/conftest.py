"""The corpus of Falco 0.44.1's answers, and the plugin `kv` that it was recorded with, as plain Python.

LANNER_CORPUS names another directory with the corpus's files (*.jsonl, or *.jsonl.xz).
"""

from __future__ import annotations

import ipaddress
import json
import lzma
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lanner.rules.language.catalog import Catalog
from lanner.rules.lint import check_files
from lanner.sdk.types import Argument, FieldInfo, FieldType

from .linting import CATALOG, marked_text, rules

DATA = Path(__file__).parents[1] / "data" / "falco-corpus"


class Corpus:
    """Return the files of the corpus."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def text(self, name: str) -> str:
        plain = self.directory / name
        return plain.read_text("utf-8") if plain.exists() else lzma.decompress((self.directory / f"{name}.xz").read_bytes()).decode()

    def cases(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(name).splitlines()]


class Kv:
    """The plugin: its catalog, its events, and the value of any field of any event."""

    def __init__(self, corpus: Corpus) -> None:
        declared = json.loads(corpus.text("fields.json"))["fields"]
        self._declared = {field["name"]: field for field in declared}
        self.catalog = Catalog(map(_info, declared), "kv")
        self.lines = corpus.text("events.jsonl").splitlines()
        self.events = [json.loads(line) for line in self.lines]

    def numbers(self) -> range:
        return range(1, len(self.events) + 1)

    def value(self, number: int, name: str, argument: str | int | None) -> Any:
        """Return the value of a field of the event with that number (from 1), in Lanner's representation."""
        if name not in self._declared:
            return self._generic(number, name)
        event = self.events[number - 1]
        info = self.catalog.lookup(name)
        key = self._declared[name]["from"].split(" ")[0]
        if argument is None:
            raw = event.get(key)
        elif isinstance(argument, int):
            items = event.get(key) or []
            raw = items[argument] if argument < len(items) else None
        else:
            raw = (event.get("optmap" if key == "opt" else key) or {}).get(argument)
        if not info.is_list:
            return _value(info.type, raw)
        values = tuple(value for value in (_value(info.type, item) for item in raw or ()) if value is not None)
        return values or None

    def _generic(self, number: int, name: str) -> Any:
        timestamp = self.events[number - 1]["ts"]
        relative = timestamp - self.events[0]["ts"]
        second, nanoseconds = divmod(timestamp, 10**9)
        moment = datetime.fromtimestamp(second, UTC)
        return {
            "evt.num": number,
            "evt.time": f"{moment:%H:%M:%S}.{nanoseconds:09}",
            "evt.time.s": f"{moment:%H:%M:%S}",
            "evt.time.iso8601": f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}+0000",
            "evt.datetime": f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds:09}",
            "evt.datetime.s": f"{moment:%Y-%m-%d %H:%M:%S}",
            "evt.rawtime": timestamp,
            "evt.rawtime.s": second,
            "evt.rawtime.ns": nanoseconds,
            "evt.reltime": relative,
            "evt.reltime.s": relative // 10**9,
            "evt.reltime.ns": relative % 10**9,
            "evt.pluginname": "kv",
            "evt.plugininfo": self.lines[number - 1],
            "evt.source": "kv",
            "evt.is_async": False,
            "evt.asynctype": None,
            "evt.hostname": "testhost",
        }[name]


def _info(field: dict[str, Any]) -> FieldInfo:
    argument = field.get("arg")
    return FieldInfo(
        field["name"],
        FieldType(field["type"]),
        field["desc"],
        is_list=field.get("isList", False),
        argument=argument and Argument(argument.get("isKey", False), argument.get("isIndex", False), argument.get("isRequired", False)),
    )


def _value(kind: FieldType, raw: Any) -> Any:
    if kind is FieldType.STRING:
        return raw.partition("\0")[0] if isinstance(raw, str) else None
    if kind is FieldType.BOOL:
        return raw if isinstance(raw, bool) else None
    if kind in {FieldType.IPADDR, FieldType.IPNET}:
        return ipaddress.ip_address(raw).packed if isinstance(raw, str) else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else None


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return Corpus(Path(os.environ.get("LANNER_CORPUS") or DATA))


@pytest.fixture(scope="session")
def kv(corpus: Corpus) -> Kv:
    return Kv(corpus)


@pytest.fixture
def check(tmp_path):
    """`check(*texts)` returns the findings of `lanner rules check` in files with these strings."""

    def run(*texts):
        paths = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return check_files(paths, CATALOG)

    return run


@pytest.fixture
def marked(check):
    """`marked(condition, before)` returns the code and the marked characters of each finding in a rule with the condition."""

    def run(condition, before=""):
        return [(each.code, marked_text(each)) for each in check(rules(condition, before=before))]

    return run
