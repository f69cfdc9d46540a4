"""A plugin with fields of each type, made by words. Its events are the open parameters, a JSON list of texts."""

import json
from collections.abc import Iterator

import lanner
from lanner import EACH, INDEX, KEY, concat, field, gate, item, payload, text

each = payload["list", EACH]


class Wording(lanner.Plugin):
    """Has all words."""

    id, name, version, event_source = 4251, "wording", "0.1.0", "wording"
    contact = "github.com/you/wording"
    timestamp = payload["at"].time("rfc3339") | payload["at"].time("s")
    fields = gate(
        payload["kind"].exists(),
        field("w.text", payload["a"].text(), "A scalar"),
        field("w.raw", payload["a"].raw(), "Any value"),
        field("w.boolean", payload["a"].boolean(), "A boolean"),
        field("w.duration", payload["a"].duration("s"), "A duration"),
        field("w.address", payload["a"].address(), "An address"),
        field("w.network", payload["a"].network(), "A network"),
        field("w.concat", concat(payload["a"].text(), "/", payload["kind"]), "Two texts"),
        field("w.lower", payload["a"].lower().basename(), "Words on a text"),
        field("w.query", payload["a"].query(KEY), "A parameter"),
        field("w.split", payload["a"].split(","), "A list"),
        field("w.texts", each.text(), "Texts"),
        field("w.raws", each.raw(), "JSON"),
        field("w.integers", each.integer(), "Integers"),
        field("w.booleans", each.boolean(), "Booleans"),
        field("w.addresses", each.address(), "Addresses"),
        field("w.times", each.time("rfc3339"), "Times"),
        field("w.item", payload["list", INDEX | EACH, "n"], "Names"),
        field("w.each", each.each(item["n"] | item["m"] | text("0")), "The first of several for each item"),
        field("w.where", each.where("m", "x")["n"], "Some names"),
        field("w.keys", each.keys(), "Names of members"),
        field("w.nth", each.nth(INDEX), "An item"),
        field("w.join", each.join(" "), "One text"),
        field("w.any", each.any("x"), "Whether one is x"),
        field("w.every", each.every(), "All or nothing"),
        field("w.present", payload["a"].present(), "Whether there is a value"),
        field("w.listed", payload["a"].listed() | each, "One or several"),
        field("w.unless", payload["a"].unless(payload["list"].present()), "A text without a list"),
    )

    def open(self, params: str) -> Iterator[str]:
        yield from json.loads(params or "[]")


class Told(Wording):
    """Tells the positions of values."""

    id, name, event_source = 4252, "told", "told"
    value_offsets = True
