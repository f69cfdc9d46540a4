"""Words of alerts: the index has those that a search reads, for any text."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from lanner.alerts.search_words import INDEXED_CHARACTERS, TRUNCATED, fold, index_text, space_words, texts_of_alert, words_of

TEXTS = st.text(max_size=30) | st.text(alphabet="aAbÄäéE\u0301\u0338=-_. \0İß中…ﬁ\ud800\udcff", max_size=12)


def indexed_words(text):
    """The words that SQLite's index makes of a string."""
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table words using fts5(text, content='', tokenize='ascii')")
    database.execute("create virtual table vocabulary using fts5vocab(words, 'row')")
    database.execute("insert into words(rowid, text) values (1, ?)", (text,))
    found = {word for (word,) in database.execute("select term from vocabulary")}
    database.close()
    return found


@given(TEXTS)
def test_the_index_has_the_words_of_a_text(text):
    assert indexed_words(fold(text)) == set(words_of(text))


@given(
    TEXTS,
    TEXTS,
    st.dictionaries(
        st.sampled_from(["a", "b.c", "evt.time"]), TEXTS | st.none() | st.integers() | st.lists(st.text(alphabet="aB -é", max_size=5))
    ),
)
def test_the_index_has_all_words_that_a_search_reads(rule, message, fields):
    wanted = {word for text in texts_of_alert(rule, message, fields) for word in words_of(text)}
    assert indexed_words(index_text(rule, message, fields)) == wanted


def test_values_in_the_message_are_not_indexed_twice():
    assert index_text("R", "container web-1 stopped", {"name": "web-1", "part": "eb-1"}) == "R\ncontainer web-1 stopped\neb-1"


def test_of_a_long_alert_the_index_has_the_beginning_and_a_mark():
    text = index_text("R", "a" * 10, {"b": "x " * INDEXED_CHARACTERS, "c": "late"})
    assert len(text) < INDEXED_CHARACTERS + 20
    assert words_of(text)[-1] != "late"
    assert text.endswith(f" {TRUNCATED}")


def test_the_mark_of_a_long_alert_is_a_word_that_no_text_has():
    assert indexed_words(f"a {TRUNCATED}") == {"a", TRUNCATED}
    assert words_of(TRUNCATED) == []


def test_words_ignore_case_and_the_form_of_characters():
    assert words_of("Shell in A-Container_9 ÄRGER e\u0301té \ufb01n") == ["shell", "in", "a", "container", "9", "ärger", "été", "fin"]
    assert space_words("a, b") == " a b "
