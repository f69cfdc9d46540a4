"""The text of get_fields."""

import json

from lanner.abi.declared_fields import fields_json
from lanner.abi.versions import APIS
from lanner.sdk.types import FieldInfo, FieldType

FIELDS = [FieldInfo("x.a", FieldType.STRING, "A", add_output=True), FieldInfo("x.b", FieldType.STRING, "B")]


def test_a_field_that_suggests_itself_says_so_where_hosts_may_know():
    told = {name: [field.get("addOutput") for field in json.loads(fields_json(FIELDS, APIS[name]))] for name in ("3", "0.3")}
    assert told == {"3": [True, None], "0.3": [None, None]}
