"""The native executor gives the alerts that the Python executor gives: for random rules over random payloads, and hostile ones."""

import json
import random
import resource
import time
from ipaddress import IPv4Address

import pytest

import lanner
from lanner.host.pump import Pump
from lanner.native import Framer
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules_text
from lanner.rules.plan.native_program import NativePlanError
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.text.encoding import to_bytes

pytestmark = [pytest.mark.native, pytest.mark.slow]

payload = lanner.payload


class Things(lanner.Plugin):
    """Things of all types."""

    id, name, version, event_source = 4247, "things", "0.1.0", "things"
    contact = "the tests"
    timestamp = payload["at"].time("s")
    fields = (
        lanner.field("t.a", payload["a"], "A string"),
        lanner.field("t.b", payload["b"] | payload["c"], "One of two texts"),
        lanner.field("t.when", payload["a"].when(payload["b"], "x", "ab"), "A string that counts sometimes"),
        lanner.field("t.before", payload["a"].before("/"), "A part of a string"),
        lanner.field("t.after", payload["a"].after("/"), "A part of a string"),
        lanner.field("t.n", payload["n"].integer(), "A number"),
        lanner.field("t.time", payload["n"].time("ms"), "A time"),
        lanner.field("t.keys", payload["map"].keys(), "A list"),
        lanner.field("t.map", payload["map", lanner.KEY], "A string by its key"),
        lanner.field("t.items", payload["items", lanner.INDEX], "A string by its place"),
        lanner.field("t.each", payload["items", lanner.EACH].text(), "A list of texts"),
        lanner.field("t.counts", payload["items", lanner.EACH].integer(), "A list of numbers"),
        lanner.field("t.yes", payload["c"].boolean(), "A boolean"),
        lanner.field("t.flags", payload["items", lanner.EACH].boolean(), "A list of booleans"),
        lanner.field("t.ip", payload["ip"].address(), "An address"),
        lanner.field("t.net", payload["ip"].network(), "A network"),
        lanner.field("t.took", payload["n"].duration("us"), "A duration"),
    )

    def open(self, _params):
        return iter(())

    def event_to_string(self, event):
        return f"thing {event.number}"

    @lanner.field("t.method", "A string that Python makes")
    def method(self, event: lanner.Event) -> str | None:
        found = event.json.get("b")
        return found if isinstance(found, str) else None

    @lanner.field("t.size", "A number that Python makes")
    def size(self, event: lanner.Event) -> int:
        return len(event.payload)

    @lanner.field("t.address", "An address that Python makes")
    def address(self, event: lanner.Event) -> IPv4Address | None:
        found = str(event.json.get("a")).encode("utf-8", "surrogateescape")
        return IPv4Address(found[:2].ljust(4, b"\0")) if found else None

    @lanner.field("t.flag", "A truth that Python makes")
    def flag(self, event: lanner.Event) -> bool:
        return bool(event.json.get("map"))


CATALOG = Catalog([declaration.info for declaration in plugin_info(Things).fields], "things", ["site"])
TEXTS = ["", "a", "A", "x", "ab", "aB", "abc", "/", "a/b", "/a/b", "a*", "é", "ß/É", "YWI=", "YQ", "a'b", "\x7f", "-a", "-c", "--x", "日本"]
GLOBS = ["a?[bc]", "*B", "[a]*b", "a\\*", "?b*c"]
NUMBERS = [0, 1, 2, 9, 10, 999, 1000, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
FIELDS = [
    "t.a",
    "t.b",
    "t.when",
    "t.before",
    "t.after",
    "t.map[k]",
    "t.map[é]",
    "t.items[0]",
    "t.items[1]",
    "t.method",
    "evt.source",
    "evt.hostname",
    "static.site",
]
NUMERIC = ["t.n", "t.size", "evt.num", "t.time", "evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", "evt.reltime", "evt.reltime.s"]
SHOWN = [
    "t.keys",
    "t.each",
    "t.counts",
    "t.yes",
    "t.flags",
    "t.ip",
    "t.took",
    "evt.time",
    "evt.time.s",
    "evt.time.iso8601",
    "evt.datetime",
    "evt.datetime.s",
    "evt.is_async",
    "evt.asynctype",
    "len(t.keys)",
    "len(t.a)",
    "toupper(t.keys)",
    "b64(t.a)",
    "evt.pluginname",
]
LISTS = ["val(t.keys)", "tolower(t.keys)", 'getopt((), "n")', 'getopt(t.keys, "ac:")']
PLAIN = ["=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob"]
ORDER = ["<", "<=", ">", ">="]


class Writing:
    """Random conditions and payloads."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.one = self.random.choice
        # with few fields many rules are about the same value, which other parts of the executor take care of
        self.fields = self.random.sample(FIELDS, 2) if self.random.random() < 0.4 else FIELDS

    def quoted(self, text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def text(self, depth=0):
        """An operand that is a string."""
        if depth < 2 and self.random.random() < 0.25:
            return self.one(
                [
                    lambda: f"{self.one(['tolower', 'toupper', 'basename', 'b64'])}({self.text(depth + 1)})",
                    lambda: f"concat({self.one(FIELDS)}, {self.one(FIELDS)})",
                    lambda: 'join("-", t.keys)',
                    lambda: f"join({self.one(FIELDS)}, ({self.one(FIELDS)}, {self.one(NUMERIC[:3])}))",
                    lambda: f'getopt(t.keys, "ac:")[{self.one("ac")}]',
                ]
            )()
        return self.one(self.fields)

    def check(self):
        some = [self.one(TEXTS) for _ in range(self.random.randint(1, 9))]
        listed = "(" + ", ".join(map(self.quoted, some)) + ")"
        return self.one(
            [
                lambda: f"{self.text()} {self.one(PLAIN)} {self.quoted(self.one(TEXTS))}",
                lambda: f"{self.text()} = {self.quoted(self.one(TEXTS))}",
                lambda: f"{self.text()} {self.one(['in', 'intersects', 'pmatch'])} {listed}",
                lambda: f"{self.text()} {self.one(PLAIN)} {self.one(['anyof', 'allof', 'oneof'])} {listed}",
                lambda: (
                    f"{self.text()} regex {self.quoted(self.one(['a.*', '[ab]+', '(a|b)*', '.', '', '.?é', 'A|ab', 'ab?c*', 'a{0,1}b', '.*/b', '(a|b)+/.*', '[^]a]b', 'aé*', '[[:alpha:]]+', '^a.*$', 'a[.]?b', '((a)|b)+', 'b{2}|a', 'a+/b']))}"
                ),
                lambda: f"{self.text()} exists",
                lambda: f"{self.one(FIELDS)} {self.one(PLAIN + ORDER)} val({self.one(FIELDS)})",
                lambda: f"{self.one(['t.n', 't.size', 'evt.num'])} {self.one(['=', '!=', '<', '<=', '>', '>='])} {self.one(NUMBERS)}",
                lambda: f"{self.one(NUMERIC)} {self.one(['=', '!=', '<', '<=', '>', '>='])} {self.one(NUMBERS)}",
                lambda: f"{self.one(NUMERIC)} in ({self.one(NUMBERS)}, {self.one(NUMBERS)})",
                lambda: f"len({self.one(FIELDS)}) {self.one(['=', '<', '>'])} {self.one([0, 1, 2, 3])}",
                lambda: f"len(t.keys) {self.one(['=', '<', '>'])} {self.one([0, 1, 2])}",
                lambda: f"t.keys {self.one(['in', 'intersects'])} {listed}",
                lambda: f"t.each {self.one(['in', 'intersects'])} {listed}",
                lambda: f"t.counts {self.one(['in', 'intersects'])} ({self.one(NUMBERS)}, {self.one(NUMBERS)})",
                lambda: f"{self.one(['t.each', 't.counts', 't.yes', 't.flags', 't.ip', 't.net', 't.took'])} exists",
                lambda: f"t.yes = {self.one(['true', 'false'])}",
                lambda: f"t.ip {self.one(['=', '!='])} {self.one(['10.1.2.3', 'fe80::1'])}",
                lambda: f"t.ip in (10.1.2.3, fe80::1, {self.one(['10.0.0.0', '::'])})",
                lambda: f"tolower(t.keys) {self.one(['in', 'intersects'])} {listed}",
                lambda: f"{self.one(['t.flag', 'evt.is_async'])} = {self.one(['true', 'false'])}",
                lambda: (
                    f"{self.text()} {self.one([*PLAIN, *ORDER, 'in', 'intersects'])} {self.one(['val({})', 'tolower({})', 'b64({})']).format(self.one(FIELDS))}"
                ),
                lambda: f"{self.one(NUMERIC[:3])} {self.one(['=', '!=', *ORDER, 'in', 'intersects'])} val({self.one(NUMERIC[:3])})",
                lambda: f"t.keys {self.one(['in', 'intersects'])} {self.one(LISTS)}",
                lambda: f"t.address {self.one(['=', '!=', 'in', 'intersects'])} val(t.address)",
                lambda: f"t.address {self.one(['=', '!='])} {self.one(['97.98.0.0', '97.0.0.0', '45.97.0.0'])}",
                lambda: f"t.address {self.one(['in', 'intersects'])} (97.98.0.0, 97.0.0.0, fe80::)",
                lambda: f'join({self.one(FIELDS)}, ()) = ""',
                lambda: "evt.plugininfo endswith 3",
            ]
        )()

    def condition(self, depth=0):
        if self.fields is not FIELDS and depth == 0 and self.random.random() < 0.5:
            word = self.one(["contains", "icontains", "startswith", "endswith", "glob", "iglob"])
            return f"{self.one(self.fields)} {word} {self.quoted(self.one(TEXTS + GLOBS))}"
        if depth < 3 and self.random.random() < 0.55:
            if self.random.random() < 0.3:
                return f"not ({self.condition(depth + 1)})"
            word = self.one([" and ", " or "])
            return "(" + word.join(self.condition(depth + 1) for _ in range(self.random.randint(2, 3))) + ")"
        return self.check()

    def rules(self, count):
        text = "".join(
            f"- rule: r{number}\n  desc: d\n  condition: {json.dumps(self.condition())}\n"
            f"  output: {json.dumps(self.output())}\n  priority: INFO\n  source: things\n"
            for number in range(count)
        )
        return compile_rules(load_rules_text(text, CATALOG), CATALOG)

    def output(self):
        """An output of some values, with widths or not; few rules show what only Python knows, which is slower."""
        shown = [field for field in FIELDS if field != "t.method"] + [field for field in NUMERIC if field != "t.size"] + SHOWN
        if self.random.random() < 0.1:
            shown += ["t.method", "t.size", "t.flag", "evt.plugininfo"]
        values = [self.text() if self.random.random() < 0.2 else self.one(shown) for _ in range(self.random.randint(0, 4))]
        return "x " + " ".join(f"%{self.one(['', '', '', '3', '12'])}{value}" for value in values)

    def value(self):
        return self.one(
            [
                lambda: self.one(TEXTS),
                lambda: self.one(TEXTS),
                lambda: self.one(NUMBERS),
                lambda: self.one([None, True, [], {}, -1, 1.5, "\0", "a\0b", False, "true"]),
            ]
        )()

    def payload(self):
        event = {key: self.value() for key in self.random.sample(["a", "b", "c"], self.random.randint(0, 3))}
        if self.random.random() < 0.7:
            event["n"] = self.one([*NUMBERS, *map(str, NUMBERS), "-0", -1, 1e3, 2**64, "007", ""])
        if self.random.random() < 0.7:
            event["map"] = {self.one([*TEXTS, "k", "k"]): self.value() for _ in range(self.random.randint(0, 4))}
        if self.random.random() < 0.5:
            event["items"] = [self.value() for _ in range(self.random.randint(0, 3))]
        if self.random.random() < 0.5:
            event["ip"] = self.one(["10.1.2.3", "fe80::1", "10.1.2.3/8", "10.0.0.0", "x", "", 5])
        if self.random.random() < 0.8:
            event["at"] = self.one([0, 1, 2, 1795469199, "3", -1, 2**63, "x"])
        text = json.dumps(event, ensure_ascii=self.random.random() < 0.5).encode("utf-8", "surrogatepass")
        damage = self.random.random()
        if damage < 0.04:
            return text[: self.random.randint(1, len(text))]
        if damage < 0.08:
            place = self.random.randrange(len(text))
            return text[:place] + self.random.randbytes(1).replace(b"\n", b" ") + text[place + 1 :]
        if damage < 0.1:
            return text.replace(b"{", b'{"n":-0,', 1)
        return text.replace(b"{", b'{"a":"twice",', 1) if damage < 0.12 else text


def pump(compiled, *, first, native):
    lines = []
    writer = AlertWriter("json", hostname="host")
    return Pump(
        init_plugin(Things), compiled, writer, lambda alert: lines.append(alert.line), first=first, static={"site": "ab"}, native=native
    ), lines


def agree(compiled, batches, *, first, clock=None):
    """Feed both executors, the native one in each form that payloads come in; gives the alerts."""
    reference, expected = pump(compiled, first=first, native=False)
    for batch in batches:
        reference.feed(batch, clock)
    chunked = [Batch(Framer(1 << 27).feed(b"\n".join([*batch.payloads, b""])), batch.timestamps) for batch in batches]
    for form in (batches, chunked):
        tried, lines = pump(compiled, first=first, native=True)
        for batch in form:
            tried.feed(batch, clock)
        assert lines == expected
        for what in ("events", "alerts", "not_json", "invalid_utf8"):
            assert getattr(tried.counts(), what) == getattr(reference.counts(), what)
        assert tried.timestamp == reference.timestamp
    return expected


def try_seed(seed):
    writing = Writing(seed)
    compiled = writing.rules(writing.random.choice([1, 5, 40]))
    batches = []
    for _ in range(3):
        payloads = [writing.payload() for _ in range(writing.random.choice([1, 7, 30]))]
        times = None if writing.random.random() < 0.5 else [writing.one([None, 5, 2**64 - 1]) for _ in payloads]
        batches.append(Batch(payloads, times))
    return agree(compiled, batches, first=writing.random.random() < 0.5, clock=writing.one([None, lambda: 1795469199 * 10**9]))


@pytest.mark.parametrize("part", range(4))
def test_random_rules_match_random_events_on_both_executors(part):
    alerts = sum(len(try_seed(seed)) for seed in range(part * 60, part * 60 + 60))
    assert alerts > 100


SHARED = ["t.a = ab", "t.b in (x, ab)", "evt.source = things", "t.n in (1, 2, 9)"]
SELECTIVE = [
    "t.map[k] startswith {word}",
    "t.map[k] glob '*{word}*'",
    "t.map[k] iglob '{word}?*'",
    "t.map[k] pmatch (/{word}, /x/{word}*)",
    "t.map[k] regex '.*{word}.*'",
    "(t.map[k] contains {word} or t.items[0] = {word})",
    "(t.map[k] = {word} or t.n = 3)",
    "t.keys intersects ({word}, {other})",
    "t.keys in ({word}, {other})",
    "t.method endswith {word}",
    "t.map[k] icontains anyof ({word}, {other})",
    "t.map[k] startswith allof ({word}, b)",
    "not t.map[k] contains {word}",
    "t.map[k] != {word}",
]


def sharing(writing, count):
    """Rules of which many share an equality and few the rest, in all shapes."""
    words = ["bench", "b", "benchmark", "nch-1", "x", "ab", *(f"bench-{number}" for number in range(20))]
    shapes = [writing.one(SELECTIVE)] if writing.random.random() < 0.5 else SELECTIVE
    rules = []
    for number in range(count):
        parts = [*writing.random.sample(SHARED, writing.random.randint(1, 2)), writing.one(shapes)]
        writing.random.shuffle(parts)
        condition = " and ".join(parts).format(word=writing.one(words), other=writing.one(words))
        rules.append(
            f"- rule: r{number}\n  desc: d\n  condition: {json.dumps(condition)}\n  output: o\n  priority: INFO\n  source: things\n"
        )
    return compile_rules(load_rules_text("".join(rules), CATALOG), CATALOG), words


@pytest.mark.parametrize("seed", range(40))
def test_rules_that_share_an_equality_match_by_their_other_parts_on_both_executors(seed):
    writing = Writing(seed)
    compiled, words = sharing(writing, 60)
    payloads = []
    for _ in range(40):
        word = writing.one(words)
        event = {"a": writing.one(["ab", "x"]), "b": writing.one(["x", "ab", "y"]), "n": writing.one([1, 2, 3])}
        event["map"] = {"k": writing.one([word, word.upper(), f"/{word}/a", f"/x/{word}-", f"a{word}1"]), writing.one(words): 1}
        event["items"] = [writing.one(words)]
        payloads.append(json.dumps({key: event[key] for key in writing.random.sample(list(event), 4)}).encode())
    assert agree(compiled, [Batch(payloads)], first=seed % 2 == 0)


def test_an_event_costs_what_the_rules_cost_that_can_match_it():
    def seconds(count):
        rule = (
            "- rule: r{0}\n  desc: d\n  condition: t.a = ab and t.b = x and t.map[k] {1}\n  output: o\n  priority: INFO\n  source: things\n"
        )
        shapes = ["startswith w{0}-", "glob 'w{0}-*'", "in (w{0}, v{0})", "regex 'w{0}-[0-9]+'", "pmatch (/w{0}-)"]
        text = "".join(rule.format(number, shapes[number % len(shapes)].format(number)) for number in range(count))
        tried, _ = pump(compile_rules(load_rules_text(text, CATALOG), CATALOG), first=False, native=True)
        batch = Batch([b'{"a":"ab","b":"x","map":{"k":"unknown"}}'] * 2000)
        rounds = []
        for _ in range(5):
            begin = time.process_time()
            tried.feed(batch, None)
            rounds.append(time.process_time() - begin)
        return min(rounds)

    # evaluating each rule would make it 100 times as much
    assert seconds(2000) < 10 * seconds(20)


@pytest.mark.timeout(60)
def test_many_groups_of_rules_with_long_texts_are_loaded_in_bounded_time_and_memory():
    letters = random.Random(5).choices
    rules = []
    for number in range(1500):
        word = "".join(letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=200))
        values = ", ".join(f"v{value}" for value in range(number % 100, number % 100 + 40))
        rules.append(
            f"- rule: r{number}\n  desc: d\n  condition: t.a in ({values}) and t.b contains {word}\n"
            "  output: o\n  priority: INFO\n  source: things\n"
        )
    compiled = compile_rules(load_rules_text("".join(rules), CATALOG), CATALOG)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pump(compiled, first=False, native=True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(20))
def test_random_rules_match_random_events_on_both_executors_at_length(part):
    for seed in range(10_000 + part * 1000, 11_000 + part * 1000):
        try_seed(seed)


def test_rules_with_more_text_than_an_index_takes_match_all_the_same():
    letters = random.Random(3).choices
    words = ["".join(letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=200)) for _ in range(800)]
    rule = "- rule: r{0}\n  desc: d\n  condition: t.a contains {1} or t.b contains x{0}y\n  output: o\n  priority: INFO\n  source: things\n"
    text = "".join(rule.format(number, word) for number, word in enumerate(words))
    compiled = compile_rules(load_rules_text(text, CATALOG), CATALOG)
    events = [b'{"b":"x3y"}', b'{"a":"-%b-"}' % words[4].encode(), b'{"a":"-%b-","b":"x5y"}' % words[5].encode(), b'{"a":"x6y"}']
    assert len(agree(compiled, [Batch(events)], first=False)) == 3


def nested(depth):
    return b'{"a":"ab","map":' + b'{"k":' * depth + b"1" + b"}" * depth + b"}"


HOSTILE = {
    "a long text": json.dumps({"a": "ab" * 5_000_000, "b": "x"}).encode(),
    "a long name": json.dumps({"x" * 10_000_000: "ab", "a": "ab"}).encode(),
    "deep": nested(1000),
    "too deep": nested(1024),
    "deeper by far": b"[" * 200_000,
    "names by the thousand": json.dumps({"a": "ab", "map": {f"k{number}": "x" for number in range(5_000)}}).encode(),
    "the same name repeatedly": b'{"a":"x"' + b',"a":"ab"' * 10_000 + b"}",
    "invalid UTF-8": b'{"a":"ab\xff"}',
    "a cut character": '{"a":"é"}'.encode()[:-3] + b'"}',
    "a lone surrogate": rb'{"a":"\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"a":"ab"}',
    "a number without end": b'{"a":"ab","n":' + b"9" * 100_000 + b"}",
    "a small number": b'{"a":"ab","n":-0}',
    "nothing but blanks": b" " * 100,
    "nul": b"\0",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_event_and_the_one_after_it_raise_the_same_alerts(what):
    writing = Writing(7)
    compiled = writing.rules(40)
    after = b'{"a":"ab","b":"x","n":1,"map":{"k":"a"}}'
    assert agree(compiled, [Batch([after, HOSTILE[what], after])], first=False)


def test_an_open_rule_keeps_its_place_before_a_sure_one():
    rule = "- rule: {}\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n  source: things\n"
    text = rule.format("python", "t.method = x") + rule.format("native", "t.a = a")
    compiled = compile_rules(load_rules_text(text, CATALOG), CATALOG)
    lines = agree(compiled, [Batch([b'{"a":"a","b":"x"}', b'{"a":"a","b":"y"}', b'{"b":"x"}'])], first=True)
    assert [json.loads(line)["rule"] for line in lines] == ["python", "native", "python"]


RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: {}\n  priority: INFO\n  source: things\n"


@pytest.mark.parametrize("unfit", [b"\0", None, "lanner"], ids=["fits", "refused by the native part", "refused by the program's writer"])
@pytest.mark.parametrize("first", [False, True])
def test_a_rule_that_the_native_executor_cannot_hold_runs_in_python(monkeypatch, caplog, unfit, first):
    def constant(value):
        if value == "unfit" and unfit == "lanner":
            raise NativePlanError("not that")
        return (to_bytes(value) if value != "unfit" or unfit == b"\0" else unfit) if isinstance(value, str) else value

    monkeypatch.setattr("lanner.rules.plan.native_program._constant", constant)
    conditions = ["t.a = a", "t.a in (unfit, a)", "t.b = x", "t.b = unfit or t.n > 1", "t.a = unfit", "t.a in (a, x)"]
    text = "".join(RULE.format(f"r{number}", condition, "x %t.a %t.n %t.keys") for number, condition in enumerate(conditions))
    compiled = compile_rules(load_rules_text(text, CATALOG), CATALOG)
    events = [b'{"a":"a"}', b'{"a":"unfit","b":"x"}', b'{"n":2,"b":"x"}', b'{"b":"unfit"}', b'{"a":"x"}', b'{"a":"q","n":0}', b"{"]
    lines = agree(compiled, [Batch(events)], first=first)
    assert {json.loads(line)["rule"] for line in lines} == {"r0", "r1", "r2", "r3", "r5"} | (set() if first else {"r4"})
    said = {record.args[0] for record in caplog.records if record.levelname == "WARNING"}
    assert said == (set() if unfit == b"\0" else {"r1", "r3", "r4"})


def test_where_the_native_executor_cannot_hold_the_fields_python_runs_all_rules(monkeypatch, caplog):
    monkeypatch.setattr("lanner.host.native_rules._source", lambda *_: ("unknown",))
    compiled = compile_rules(load_rules_text(RULE.format("r", "t.a = a", "o"), CATALOG), CATALOG)
    assert len(agree(compiled, [Batch([b'{"a":"a"}'])], first=True)) == 1
    assert "Python evaluates all rules" in caplog.text
