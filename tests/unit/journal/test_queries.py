"""SQL by name."""

from __future__ import annotations

from pg_bridge.journal.queries import QUERIES, insert_rows
from pg_bridge.journal.store import SEGMENT_SIZE


def test_each_query_is_one_statement_without_its_comments() -> None:
    assert {"list", "find", "insert_entry", "meta"} <= QUERIES.keys()
    assert QUERIES["meta"] == "SELECT name, value FROM meta"
    assert not any(text.startswith("--") or ";" in text or not text for text in QUERIES.values())


def test_an_insert_is_repeated_for_many_rows() -> None:
    assert insert_rows("insert_checkpoint", 2) == "INSERT INTO checkpoint (size, note) VALUES (?, ?), (?, ?)"


def test_the_size_of_a_segment_is_the_same_in_sql() -> None:
    assert SEGMENT_SIZE == 1024
    assert "* 1024" in QUERIES["find"]
