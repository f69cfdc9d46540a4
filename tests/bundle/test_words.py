"""Values of words are in a C host what they are for Lanner's own host, at each API, with the positions that are known."""

import json
import socket
from pathlib import Path

import pytest

from lanner.abi.declared_fields import offers
from lanner.abi.versions import APIS
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.types import FieldType

pytestmark = [pytest.mark.slow, pytest.mark.native]

PLUGINS = Path(__file__).parents[1] / "data" / "plugins"
PAYLOADS = [
    '{"kind":"k","a":"X/Y,z","list":["x",1,true,"10.1.2.3","2024-02-29T12:30:00Z",null,{"n":"N","m":"x"}],"at":"2024-02-29T12:30:00.5Z"}',
    '{"kind":"k","a":2.50,"list":["x","y"],"at":"1700000000.25"}',
    '{"kind":null,"a":true,"list":[false,"true"],"at":1700000000}',
    '{"kind":"k","a":{ "b" : [ 1e2, -0 ] },"list":{}}',
    '{"kind":"k","a":"10.9.8.7/12","list":["::1","fe80::1"]}',
    '{"kind":"k","a":"::ffff:1.2.3.4"}',
    '{"kind":"k","a":"/p?x=a%20b","list":[{"n":"N","m":"x"},{"m":"M"},{}]}',
    '{"kind":"k","a":123456789012345678901234567890,"list":[-0,18446744073709551615,18446744073709551616]}',
    '{"kind":"k","a":null,"list":[]}',
    '{"a":"no kind","list":["x"]}',
    '{"kind":"k","a":"\udcff","list":["\udcfe",1.50]}',
    "not json",
]


def as_the_host_shows(value, kind, api):
    if isinstance(value, tuple):
        return [as_the_host_shows(item, kind, api) for item in value]
    if kind in {FieldType.IPADDR, FieldType.IPNET}:
        return socket.inet_ntop(socket.AF_INET if len(value) == 4 else socket.AF_INET6, value)
    if kind is FieldType.BOOL and not api.has_all_types:
        return "true" if value else "false"
    if isinstance(value, str) and any("\udc80" <= char <= "\udcff" for char in value):
        return {"hex": value.encode("utf-8", "surrogateescape").hex()}
    return value


@pytest.mark.parametrize("api", APIS)
def test_all_words_in_a_host(built, seen, api):
    cls = load_plugin(f"{PLUGINS / 'wording.py'}:Wording")
    infos = {declaration.info.name: declaration.info for declaration in cls.__plugin__.fields}
    requests = [(name, None) for name, info in infos.items() if not (info.argument and info.argument.required)]
    requests += [("w.query", "x"), ("w.item", 1), ("w.item", 9), ("w.nth", 0)]
    requests = [request for request in requests if offers(APIS[api].number, infos[request[0]])]
    fields = ",".join(name if argument is None else f"{name}[{argument}]" for name, argument in requests)
    run = seen(built("wording:Wording", api), "--open", json.dumps(PAYLOADS), "--fields", fields)
    reader = FieldReader(init_plugin(cls), requests)
    assert run["count"] == len(PAYLOADS)
    for number, (event, payload) in enumerate(zip(run["events"], PAYLOADS, strict=True), 1):
        reader.load(payload.encode("utf-8", "surrogateescape"), None, number)
        expected = {}
        for slot, (name, argument) in enumerate(requests):
            value = reader.get(slot)
            if value is not None:
                expected[name if argument is None else f"{name}[{argument}]"] = as_the_host_shows(value, infos[name].type, APIS[api])
        assert event["fields"] == expected, payload
        if reader.timestamp is not None:
            assert event["ts"] == reader.timestamp


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            '{"kind":"k", "a": 2.50,"list":["x"]}',
            {
                "text": ["2.50"],
                "raw": ["2.50"],
                "duration": ["2.50"],
                "concat": [None],
                "texts": [None],
                "present": [None],
                "listed": [None],
            },
        ),
        ('{"kind":"k","a":[1, 2]}', {"raw": [None], "present": [None]}),
        ('{"kind":"k","a":[1,2]}', {"raw": ["[1,2]"], "present": [None]}),
        ('{"kind":"k","a":"10.0.0.7/8"}', {"raw": ['"10.0.0.7/8"'], "network": ["10.0.0.7/8"], "lower": ["8"], "split": [None]}),
        ('{"kind":"k","a":"A/B"}', {"text": ["A/B"], "lower": [None]}),
        ('{"kind":"k","a":true}', {"text": ["true"], "boolean": ["true"]}),
    ],
)
def test_the_position_of_a_value_is_reported_only_if_the_value_is_a_part_of_the_payload(bound, seen, payload, expected):
    fields = ",".join(f"w.{name}" for name in expected)
    run = seen(bound("wording:Told"), "--offsets", "--open", json.dumps([payload]), "--fields", fields)
    data = payload.encode()
    (event,) = run["events"]
    told = {
        name.removeprefix("w."): [data[begin - 38 : begin - 38 + size].decode() if size else None for begin, size in spans]
        for name, spans in event["offsets"].items()
    }
    assert told == expected
