"""Advice on an unknown field: a few names, regardless of the number of fields."""

import pytest

from lanner.rules.language.catalog import Catalog
from lanner.sdk.types import FieldInfo, FieldType

CATALOG = Catalog([FieldInfo(f"kv.field{number}", FieldType.STRING, "") for number in range(500)], "kv")


@pytest.mark.parametrize("unknown", ["zzz.qqq", "x.y", "kv", "container.image.repository"])
def test_the_advice_names_three_fields_at_most(unknown):
    advice = CATALOG.advice(unknown)
    assert len(advice) < 200
    assert sum(field.name in advice.replace(",", " ").replace(";", " ").split() for field in CATALOG) <= 3


def test_a_near_name_is_asked_for():
    assert CATALOG.advice("kv.feild7") == "Did you mean kv.field7?"
