"""Rules for the tests of lints."""

from lanner.rules import Catalog
from lanner.sdk.types import Argument, FieldInfo, FieldType

CATALOG = Catalog(
    [
        FieldInfo("x.a", FieldType.STRING, "d"),
        FieldInfo("x.b", FieldType.STRING, "d"),
        FieldInfo("x.n", FieldType.UINT64, "d"),
        FieldInfo("x.flag", FieldType.BOOL, "d"),
        FieldInfo("x.ip", FieldType.IPADDR, "d"),
        FieldInfo("x.net", FieldType.IPNET, "d"),
        FieldInfo("x.list", FieldType.STRING, "d", is_list=True),
        FieldInfo("x.map", FieldType.STRING, "d", argument=Argument(key=True)),
    ],
    "x",
)

RULE = "- rule: {0}\n  desc: It happened\n  condition: {1}\n  output: got %x.a\n  priority: INFO\n  source: x\n  tags: [t]\n"


def rules(*conditions, before=""):
    return before + "".join(RULE.format(f"r{n}", condition) for n, condition in enumerate(conditions))


def marked_text(finding):
    shown, carets = finding.snippet.splitlines()
    return shown[carets.index("^") : len(carets)]
