"""Scopes: equal rights share a key, different rights never do, and combining them only takes away."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.query.scope import HIDE, ColumnRule, RowRule, Scope, is_shown

TABLES = ("marts.order_lines", "marts.daily_revenue", "staging.stg_sales", "raw.sales")
NAMES = ("marts.*", "raw.*", *TABLES)
VALUES = st.lists(st.text(max_size=3), min_size=1, max_size=3).map(tuple)
ROWS = st.builds(RowRule, st.sampled_from(["region", "year"]), st.sampled_from(["in", "not in"]), VALUES)
MASKS = st.sampled_from(["hide", "hash", "last four", "round 100"])
COLUMNS = st.builds(ColumnRule, st.sampled_from(["", *TABLES]), st.sampled_from(["region", "amount"]), MASKS)
SCOPES = st.builds(
    Scope,
    st.none() | st.frozensets(st.sampled_from(NAMES), max_size=3),
    st.frozensets(ROWS, max_size=2),
    st.frozensets(COLUMNS, max_size=2),
)


@given(scope=SCOPES)
def test_a_scope_survives_its_way_to_a_worker(scope: Scope) -> None:
    again = Scope.from_json(scope.to_json())

    assert again.key == scope.key
    assert again.to_json() == scope.to_json()


@given(first=SCOPES, second=SCOPES)
def test_scopes_share_a_key_exactly_when_they_are_the_same_rights(first: Scope, second: Scope) -> None:
    assert (first.key == second.key) == (first.to_json() == second.to_json())


def test_the_order_of_values_is_no_difference_but_for_between() -> None:
    def key(operator: str, *values: str) -> str:
        return Scope(rows=frozenset({RowRule("n", operator, values)})).key

    assert key("in", "a", "b") == key("in", "b", "a", "a")
    assert key("between", "1", "2") != key("between", "2", "1")
    assert key("in", "a") != key("not in", "a")


@pytest.mark.parametrize("values", [("a,b",), ("a", "b"), ('a","b',), ("a\nb",), ("a b",)])
def test_no_value_can_be_written_like_two_others(values: tuple[str, ...]) -> None:
    others = [("a,b",), ("a", "b"), ('a","b',), ("a\nb",), ("a b",)]

    keys = [Scope(rows=frozenset({RowRule("n", "in", given)})).key for given in others if given != values]

    assert Scope(rows=frozenset({RowRule("n", "in", values)})).key not in keys


@given(first=SCOPES, second=SCOPES, table=st.sampled_from(TABLES))
def test_both_together_see_what_each_of_them_sees(first: Scope, second: Scope, table: str) -> None:
    both = first.and_also(second)

    assert both.sees(table) == (first.sees(table) and second.sees(table))
    assert both.rows == first.rows | second.rows
    assert both.hidden(table) >= first.hidden(table) | second.hidden(table)
    assert both.to_json() == second.and_also(first).to_json()


def test_two_masks_of_one_column_hide_it() -> None:
    hashed, rounded = ColumnRule("", "amount", "hash"), ColumnRule("raw.sales", "amount", "round 100")
    scope = Scope(columns=frozenset({hashed, rounded}))

    assert scope.shown("raw.sales") == {"amount": HIDE}
    assert scope.shown("marts.order_lines") == {"amount": "hash"}
    assert Scope(columns=frozenset({hashed, replace(hashed, table="raw.sales")})).shown("raw.sales") == {
        "amount": "hash"
    }


@pytest.mark.parametrize(
    ("text", "good"),
    [("hide", True), ("hash", True), ("last four", True), ("round 100", True), ("round 1", False), ("round 50", False)],
)
def test_what_a_column_rule_may_say(text: str, good: bool) -> None:
    assert is_shown(text) == good
    assert ColumnRule("", "amount", text).digits == (2 if text == "round 100" else 0)
