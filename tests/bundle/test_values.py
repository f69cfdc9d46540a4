"""Every field of every event has the value in a C host that it has for Lanner's own host, at each API."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from lanner.abi.declared_fields import offers
from lanner.abi.versions import APIS
from lanner.docker import Docker
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.text.encoding import to_bytes
from lanner.sdk.text.printable import escape_bytes
from lanner.sdk.types import FieldType

pytestmark = [pytest.mark.slow, pytest.mark.native]

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "src" / "lanner" / "docker" / "example.jsonl"
PLUGINS = ROOT / "tests" / "data" / "plugins"


def as_the_host_shows(value, kind, api):
    """A field's value in the report of the C host."""
    if isinstance(value, tuple):
        return [as_the_host_shows(item, kind, api) for item in value]
    if isinstance(value, str) and escape_bytes(value) != value:
        return {"hex": to_bytes(value).hex()}
    if kind in {FieldType.IPADDR, FieldType.IPNET}:
        return socket.inet_ntop(socket.AF_INET if len(value) == 4 else socket.AF_INET6, value)
    if kind is FieldType.BOOL and not api.has_all_types:
        return "true" if value else "false"
    return value


def expected(cls, payloads, requests, api):
    plugin = init_plugin(cls)
    kinds = {declaration.info.name: declaration.info for declaration in plugin_info(cls).fields}
    requests = [request for request in requests if offers(api.number, kinds[request[0]])]
    reader = FieldReader(plugin, requests)
    result = []
    for number, payload in enumerate(payloads, 1):
        reader.load(payload, number=number)
        values = {}
        for slot, (name, argument) in enumerate(requests):
            value = reader.get(slot)
            if value is not None:
                values[name if argument is None else f"{name}[{argument}]"] = as_the_host_shows(value, kinds[name].type, api)
        result.append((reader.timestamp, values))
    return result


@pytest.mark.parametrize("api", APIS)
def test_all_docker_fields_of_a_recording(built, seen, api):
    payloads = RECORDINGS.read_bytes().splitlines()
    requests = [(declaration.info.name, None) for declaration in Docker.__plugin__.fields if declaration.info.name != "docker.attributes"]
    requests += [("docker.attributes", key) for key in ("name", "exitCode", "com.docker.compose.project", "nothing")]
    lists = {declaration.info.name for declaration in Docker.__plugin__.fields if declaration.info.is_list}
    fields = ",".join(name if key is None else f"{name}[{key}]" for name, key in requests if api != "0.3" or name not in lists)
    run = seen(built("recorded", api), "--open", str(RECORDINGS), "--fields", fields)
    assert run["end"] == "eof"
    assert [(event["ts"], event["fields"]) for event in run["events"]] == expected(Docker, payloads, requests, APIS[api])
    assert [event["payload"].encode() for event in run["events"]] == payloads


OTHERS = ["", "x", "0", 0, -1, 1.5, True, None, {}, [], {"": "no name"}, {"": {"name": "deeper"}}, ["item"], {"name": ["item"]}]


def altered(random, value):
    """JSON text of a recorded event with members of other types and names, in another order, repeated, nested or left out."""
    if random.random() < 0.05:
        return json.dumps(random.choice(OTHERS))
    if not isinstance(value, dict):
        return json.dumps(value)
    members = [(name if random.random() < 0.97 else "", altered(random, inner)) for name, inner in value.items() if random.random() < 0.95]
    members += [(name, json.dumps(random.choice(OTHERS))) for name in ["", *value] if random.random() < 0.05]
    if random.random() < 0.2:
        random.shuffle(members)
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members) + "}"


@pytest.mark.parametrize("count", [1, 2, 5, 60])
def test_fields_of_altered_events(built, seen, tmp_path, count):
    random = Random(count)
    recorded = [*map(json.loads, RECORDINGS.read_bytes().splitlines())]
    payloads = [altered(random, random.choice(recorded)).encode() for _ in range(500)]
    recording = tmp_path / "recording"
    recording.write_bytes(b"\n".join(payloads))
    names = [declaration.info.name for declaration in Docker.__plugin__.fields if not declaration.info.argument]
    requests = [("docker.attributes", key) for key in ("name", "", "0")[:count]]
    requests += [(name, None) for name in random.sample(names, min(count, len(names)))]
    fields = ",".join(name if key is None else f"{name}[{key}]" for name, key in requests)
    run = seen(built("recorded"), "--open", str(recording), "--fields", fields)
    values = [values for _, values in expected(Docker, payloads, requests, APIS["3"])]
    assert sum(map(bool, values)) > 100
    assert [event["fields"] for event in run["events"]] == values


ALIKE = [("container", "web"), ("container", "dbs"), ("containes", "dbs"), ("container", "dbs"), ("container", "x")]
REUSED = """
import ctypes, json, struct, sys

class Field(ctypes.Structure):
    _fields_ = [
        ("values", ctypes.c_void_p), ("count", ctypes.c_uint64), ("id", ctypes.c_uint32), ("name", ctypes.c_char_p),
        ("key", ctypes.c_char_p), ("index", ctypes.c_uint64), ("has", ctypes.c_uint32), ("type", ctypes.c_uint32), ("list", ctypes.c_uint32),
    ]

class Extraction(ctypes.Structure):
    _fields_ = [
        ("owner", ctypes.c_void_p), ("error", ctypes.c_void_p), ("count", ctypes.c_uint32), ("fields", ctypes.POINTER(Field)),
        ("more", ctypes.c_void_p * 6),
    ]

class Event(ctypes.Structure):
    _fields_ = [("block", ctypes.c_void_p), ("number", ctypes.c_uint64), ("source", ctypes.c_char_p)]

class Init(ctypes.Structure):
    _fields_ = [("config", ctypes.c_char_p), ("rest", ctypes.c_void_p * 4)]

library = ctypes.CDLL(sys.argv[1])
library.plugin_get_fields.restype = ctypes.c_char_p
library.plugin_init.restype = ctypes.c_void_p
library.plugin_extract_fields.argtypes = [ctypes.c_void_p] * 3
numbers = {field["name"]: number for number, field in enumerate(json.loads(library.plugin_get_fields()))}
rc = ctypes.c_int32(99)
state = library.plugin_init(ctypes.byref(Init(b"{}")), ctypes.byref(rc))
memory = ctypes.create_string_buffer(1000)
found = []
for payload in json.loads(sys.argv[2]):
    size = 38 + len(payload)
    memory[:size] = struct.pack("<QQIHIIIQ", 1, 2, size, 322, 2, 4, len(payload), 0)[:38] + payload.encode()
    for name in json.loads(sys.argv[3]):
        field = Field(None, 9, numbers[name], b"x", None, 0, 0, 9, 0)
        event = Event(ctypes.addressof(memory), 1, None)
        extraction = Extraction(None, None, 1, ctypes.pointer(field))
        library.plugin_extract_fields(state, ctypes.addressof(event), ctypes.addressof(extraction))
        found.append(ctypes.cast(field.values, ctypes.POINTER(ctypes.c_char_p))[0].decode() if field.count else None)
print(json.dumps(found))
"""


def test_other_bytes_at_the_same_address_with_the_same_number_are_another_event(built):
    payloads = [f'{{"Type":"{kind}","Actor":{{"Attributes":{{"image":"{image}"}}}}}}' for kind, image in ALIKE]
    names = ["docker.type", "docker.attributes.image", "docker.from", "docker.type", "docker.from"]
    command = [sys.executable, "-c", REUSED, str(built("recorded")), json.dumps(payloads), json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    of_container = [image if kind == "container" else None for kind, image in ALIKE]
    assert json.loads(done.stdout) == [
        value for (kind, image), source in zip(ALIKE, of_container, strict=True) for value in (kind, image, source, kind, source)
    ]


def test_an_event_of_sixteen_million_bytes_is_one_among_others(built, seen, tmp_path):
    first, last = RECORDINGS.read_bytes().splitlines()[:2]
    huge = b'{"Type":"container","Action":"' + b"x" * 16_000_000 + b'","timeNano":5}'
    recording = tmp_path / "recording"
    recording.write_bytes(b"\n".join([first, huge, last]))
    run = seen(built("recorded"), "--open", str(recording), "--fields", "docker.type,docker.action")
    assert [len(event["payload"]) for event in run["events"]] == [len(first), len(huge), len(last)]
    assert run["events"][1]["fields"] == {"docker.type": "container", "docker.action": "x" * 16_000_000}


HARD = [
    '{"text":"a:b:c","number":"18446744073709551615","at":1700000000123,"map":{"x":"y","deep":{"er":"z"}},"list":["p","q"]}',
    '{"number":18446744073709551616,"at":"5","text":"","map":{},"list":[]}',
    '{"number":-1,"text":5,"map":["no"],"list":{"0":"no"},"at":1e3}',
    '{"text":"first","text":"last","number":1,"number":"2"}',
    '{"text":"nul\\u0000after","map":{"k\\u0000x":"v","k":"w"}}',
    '{"text":"\\ud800","number":-0,"at":-0}',
    '{"text":"\u00e9\u4e2d\U0001f600:\u00e9"}',
    '{"six":true,"bool":false,"numbers":[0,18446744073709551615],"texts":["","x\\u0000y"],"ips":["255.255.255.255","0.0.0.0"]}',
    "[1,2,3]",
    '"text"',
    "",
    "not json",
    '{"text":"truncated',
    '{"a":1}{"text":"glued"}',
    '{"text":"\udcff\udcfe"}',
    "[" * 10_000 + "]" * 10_000,
    '{"text":"' + "x" * 100_000 + '"}',
    '{"map":{"x":"' + "y" * 300 + '"},"at":1700000000999}',
]
REQUESTS = [
    *(
        (name, None)
        for name in (
            "text",
            "first",
            "number",
            "time",
            "before",
            "after",
            "after_last",
            "keys",
            "deep",
            "str",
            "bool",
            "abstime",
            "reltime",
        )
    ),
    *((name, None) for name in ("ip", "net", "texts", "numbers", "ips", "known", "nth", "both")),
    *(("map", key) for key in ("x", "k", "deep", "k" * 10_000)),
    *(("item", index) for index in (0, 1, 7, 2**63)),
    ("upper", "text"),
    ("nth", 1),
    ("both", "k"),
    ("both", 3),
]


@pytest.mark.parametrize("api", APIS)
def test_all_kinds_of_fields_of_all_kinds_of_payloads(built, seen, api):
    every = load_plugin(str(PLUGINS / "every.py"))
    times = [1_600_000_000_000_000_000 + number for number in range(len(HARD))]
    requests = [(f"every.{name}", argument) for name, argument in REQUESTS]
    kinds = {declaration.info.name: declaration.info for declaration in every.__plugin__.fields}
    shown = [request for request in requests if offers(APIS[api].number, kinds[request[0]])]
    if APIS[api].number == 2:
        shown.remove(("every.both", "k"))  # hosts of these APIs only take an index if there might be a key
    fields = ",".join(name if argument is None else f"{name}[{argument}]" for name, argument in shown)
    params = json.dumps([[text, time] for text, time in zip(HARD, times, strict=True)])
    run = seen(built("every", api), "--open", params, "--fields", fields)
    assert run["count"] == len(HARD)

    plugin = init_plugin(every)
    reader = FieldReader(plugin, shown)
    for number, (event, text, time) in enumerate(zip(run["events"], HARD, times, strict=True), 1):
        reader.load(text.encode("utf-8", "surrogateescape"), time, number)
        assert event["ts"] == reader.timestamp
        values = {}
        for slot, (name, argument) in enumerate(shown):
            value = reader.get(slot)
            if value is not None:
                values[name if argument is None else f"{name}[{argument}]"] = as_the_host_shows(value, kinds[name].type, APIS[api])
        assert event["fields"] == values, text[:80]
