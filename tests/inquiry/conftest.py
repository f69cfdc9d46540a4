"""Alerts of stores, without a store: what `Inquiry` asks one for."""

import contextlib
import hashlib
import json

import pytest

from lanner.alerts.machine_mark import machine_mark
from lanner.alerts.stored import Detail, Page, Run, StoredAlert
from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.inquiry.questions import Inquiry

RUN = "5ad0c0de"


class StandInStore:
    """The alerts that rules raise for events, with the interface of AlertStore as far as `Inquiry` needs it."""

    def __init__(self, files, target="docker", *, events=(), rule_matching="first", about=None, beside=()):
        self.files = {str(path): path.read_bytes() for path in files}
        self.about = {
            "plugins": [{"name": name, "version": "1", "target": str(name)} for name in (target, *beside)],
            "rules": [{"path": path, "sha256": hashlib.sha256(content).hexdigest()} for path, content in self.files.items()],
            "settings": {"rule_matching": rule_matching, "static_fields": {}},
            "machine": machine_mark(RUN),
        } | (about or {})
        self.run = Run(RUN, 1, "docker", self.about)
        self.alerts, self.events = [], []
        rules = LoadedRules(load_plugin(str(target)), files, beside=[load_plugin(str(name)) for name in beside])
        trial = rules.trial(first=rule_matching == "first")
        for event in events:
            payload = event if isinstance(event, bytes) else json.dumps(event).encode()
            for alert in trial.feed(payload, 10**18):
                line = json.dumps({"message": alert.output, "output_fields": alert.fields}).encode()
                number = len(self.alerts) + 1
                subject = str(alert.fields.get("docker.attributes.name", ""))
                self.alerts.append(StoredAlert(number, f"{RUN}-{number}", number, 10**18, alert.rule, 4, "docker", subject, line))
                self.events.append(payload)

    def rules_file(self, sha256):
        return next((content for content in self.files.values() if hashlib.sha256(content).hexdigest() == sha256), None)

    def read_newest(self, wanted, limit, before=None):
        found = [each for each in reversed(self.alerts) if wanted.matches(each) and (before is None or each.position < before)]
        return Page(found[:limit], found[limit - 1].position if len(found) > limit else 0, len(found) > limit)

    def find(self, key):
        return next((self.detail(number) for number, each in enumerate(self.alerts) if each.key == key), None)

    def detail(self, number=0, **changes):
        event = self.events[number]
        return Detail(self.alerts[number], event, len(event), self.run)._replace(**changes)


@pytest.fixture
def ask():
    """`ask(kind, store, number, **options)`: the answer about an alert."""
    with contextlib.ExitStack() as stack:

        def answer(kind, store, number=0, detail=None, **options):
            key = json.dumps(options, default=str)
            if key not in made:
                made[key] = Inquiry(**options)
                stack.callback(made[key].close)
            return made[key].ask(kind, detail or store.detail(number), store)

        made = {}
        yield answer


@pytest.fixture
def shop(tmp_path):
    """`shop(*events)`: alerts of rules on containers."""

    def make(*events, **options):
        path = tmp_path / "shop_rules.yaml"
        path.write_text(RULES)
        return StandInStore([path], events=events, **options)

    return make


def container(action="start", name="web-1", image="evil:1", **attributes):
    return {"Type": "container", "Action": action, "Actor": {"ID": "4f0c", "Attributes": {"image": image, "name": name} | attributes}}


RULES = """\
- list: known_images
  items: ["shop/web:1", "shop/db:1"]

- macro: started
  condition: docker.type = container and docker.action.name = start

- rule: Unknown image started
  desc: A container of an image that is not ours
  condition: started and not docker.from in (known_images)
  output: unknown image (image=%docker.from container=%docker.attributes.name)
  priority: WARNING
  source: docker
  tags: [shop]

- rule: Command in a container
  desc: A command ran in a container
  condition: docker.type = container and (docker.action.name = exec_create or docker.action.name = exec_start)
  output: command (command=%docker.exec.command container=%docker.attributes.name)
  priority: NOTICE
  source: docker
  tags: [shop]
"""


@pytest.fixture
def event_of():
    return container


@pytest.fixture
def own_plugin(tmp_path):
    """`own_plugin(code)`: a store with an alert of a plugin whose field runs this code in the process that answers."""

    def make(code, events=({"item": "x"},), **options):
        plugin = tmp_path / "shop.py"
        plugin.write_text(SHOP.replace("CODE", code))
        plugin.chmod(0o600)
        tmp_path.chmod(0o700)
        rules = tmp_path / "rules.yaml"
        rules.write_text(SHOP_RULES)
        return StandInStore([rules], plugin, events=events, **options)

    return make


SHOP = '''\
import ctypes
import os
import sys
import time
from collections.abc import Iterator

import lanner


class Shop(lanner.Plugin):
    """Orders of a shop."""

    id, name, version, event_source, contact = 999, "shop", "1.0.0", "shop", "the tests"

    @lanner.field("shop.item", "The item")
    def item(self, event: lanner.Event) -> str:
        if sys.argv[0].endswith("answers.py"):
            CODE
        return event.json["item"]

    def open(self, params: str) -> Iterator[bytes]:
        yield b"{}"
'''
SHOP_RULES = """\
- rule: Item sold
  desc: An item was sold
  condition: shop.item exists
  output: sold %shop.item
  priority: NOTICE
  source: shop
  tags: [shop]
"""
