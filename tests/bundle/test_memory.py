"""Memory that a host got stays unchanged for as long as the plugin API says, and no call reaches a host that has gone."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.native]

HOST = """
import ctypes, sys
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_uint32, c_uint64, c_void_p

LOG = ctypes.CFUNCTYPE(None, c_void_p, c_char_p, c_char_p, c_int)

class Init(ctypes.Structure):
    _fields_ = [("config", c_char_p), ("owner", c_void_p), ("error", c_void_p), ("tables", c_void_p), ("log", LOG)]

class Event(ctypes.Structure):
    _fields_ = [("block", c_void_p), ("number", c_uint64), ("source", c_char_p)]

class Field(ctypes.Structure):
    _fields_ = [("values", POINTER(c_char_p)), ("count", c_uint64), ("id", c_uint32), ("name", c_char_p), ("key", c_char_p),
                ("index", c_uint64), ("has_argument", c_uint32), ("type", c_uint32), ("is_list", c_uint32)]

class Extraction(ctypes.Structure):
    _fields_ = [("owner", c_void_p), ("error", c_void_p), ("count", c_uint32), ("fields", POINTER(Field)), ("more", c_void_p * 6)]

library = ctypes.CDLL(sys.argv[1])
for name in ("init", "open", "list_open_params", "get_progress"):
    getattr(library, "plugin_" + name).restype = c_void_p
rc = c_int32(99)
said = []

@LOG
def log(owner, component, message, severity):
    said.append((owner, message.decode()))

def init(owner):
    state = c_void_p(library.plugin_init(byref(Init(b"{}", owner, None, None, log)), byref(rc)))
    assert rc.value == 0
    return state

def first_event(state, params):
    instance = c_void_p(library.plugin_open(state, params.encode(), byref(rc)))
    assert rc.value == 0
    count, events = c_uint32(0), POINTER(c_void_p)()
    while not count.value:
        assert library.plugin_next_batch(state, instance, byref(count), byref(events)) in (0, -1)
    return instance, events[0]

def extract(state, block, field):
    request = Field(id=field)
    extraction = Extraction(count=1, fields=ctypes.pointer(request))
    assert library.plugin_extract_fields(state, byref(Event(block, 1, None)), byref(extraction)) == 0
    return request
"""


def run(so, program, *arguments):
    done = subprocess.run([sys.executable, "-c", HOST + program, so, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def test_a_value_stays_until_the_next_extraction(built):
    program = """
state = init(1)
a, block = first_event(state, sys.argv[2])
field = extract(state, block, 0)
before = field.values[0]
b, _ = first_event(state, sys.argv[3])
assert field.values[0] == before == b"first", field.values[0]
for instance in (a, b):
    library.plugin_close(state, instance)
library.plugin_destroy(state)
"""
    run(built("every"), program, *(json.dumps([f'{{"at":1,"text":"{text}"}}']) for text in ("first", "other")))


def test_the_log_of_a_host_that_has_gone_is_not_called(built):
    program = """
import logging
first, second = init(1), init(2)
def ask(state):
    library.plugin_list_open_params(state, byref(rc))
ask(first)
library.plugin_destroy(second)
ask(first)
library.plugin_destroy(first)
logging.getLogger("after").warning("after the end")
print(said)
"""
    done = run(built("rude"), program)
    assert done.stdout == "[(2, 'asked'), (1, 'asked')]\n"
    assert "after the end" in done.stderr


def test_a_host_that_was_refused_is_gone_too(built):
    program = """
import logging
library.plugin_init(byref(Init(b'{"refuse": true}', 1, None, None, log)), byref(rc))
assert rc.value == 1
said.clear()
logging.getLogger("after").warning("after the end")
print(said)
"""
    done = run(built("rude"), program)
    assert done.stdout == "[]\n"
    assert "after the end" in done.stderr


def test_progress_that_is_no_number_is_none(built, run_host):
    report = run_host(built("rude"), "--open", '["{}"]', "--fields", "every.text")
    assert report["violations"] == []
    assert report["runs"][0]["progress"] == {"of_10000": 0, "text": "0.00%"}


def test_texts_of_a_host_may_have_bytes_that_are_not_utf_8(built):
    program = r"""
library.plugin_get_last_error.restype = ctypes.c_char_p
state = init(1)
class Bytes(bytes):
    def encode(self):
        return bytes(self)
instance, block = first_event(state, Bytes(b'["{\\"at\\":1,\\"text\\":\\"caf\xe9\\"}"]'))
assert extract(state, block, 0).values[0] == b"caf\xe9"
library.plugin_close(state, instance)
library.plugin_destroy(state)
state = c_void_p(library.plugin_init(byref(Init(b'{"a": "\xff"}', 1, None, None, log)), byref(rc)))
assert rc.value != 0
error = library.plugin_get_last_error(state).decode()
assert "plugin every: the configuration is not JSON" in error, error
"""
    run(built("every"), program)
