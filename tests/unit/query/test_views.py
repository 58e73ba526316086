"""Rules on rows and columns, as questions meet them: trusted ones and those of people, through a real pool."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_lake import Lake, OpenPool, rows

from lakehouse.errors import PolicyWrong, StatementWrong
from lakehouse.query.pool import QueryPool
from lakehouse.query.scope import ColumnRule, RowRule, Scope

ALL = "select * from raw.sales order by day, n"


def limited(*rules: RowRule | ColumnRule) -> Scope:
    """A scope with these rules on every table."""
    return Scope(
        rows=frozenset(rule for rule in rules if isinstance(rule, RowRule)),
        columns=frozenset(rule for rule in rules if isinstance(rule, ColumnRule)),
    )


def seen(pool: QueryPool, lake: Lake, scope: Scope, sql: str = ALL, **parts: Any) -> list[dict[str, Any]]:
    return rows(pool, sql, pins={"raw.sales": lake.february}, scope=scope, **parts)


def numbers(found: Iterable[dict[str, Any]]) -> list[int]:
    return [row["n"] for row in found]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    ("rule", "condition"),
    [
        (RowRule("region", "=", ("N",)), "region = 'N'"),
        (RowRule("region", "in", ("N", "E")), "region in ('N', 'E')"),
        (RowRule("region", "!=", ("N",)), "region <> 'N'"),
        (RowRule("region", "not in", ("N", "S")), "false"),
        (RowRule("n", ">=", ("10",)), "n >= 10"),
        (RowRule("n", "<", ("10.5",)), "n < 10.5"),
        (RowRule("amount", "<=", ("2.999",)), "amount <= 2.99"),
        (RowRule("amount", ">", ("1.25",)), "amount > 1.25"),
        (RowRule("day", "between", ("2024-01-05", "2024-01-09")), "day between '2024-01-05' and '2024-01-09'"),
    ],
)
def test_a_row_rule_leaves_the_rows_that_fit(
    pool: QueryPool, lake: Lake, rule: RowRule, condition: str, trusted: bool
) -> None:
    allowed = seen(pool, lake, Scope(), f"select * from raw.sales where {condition} order by day, n")

    assert seen(pool, lake, limited(rule), trusted=trusted) == allowed


def test_every_row_rule_holds(pool: QueryPool, lake: Lake) -> None:
    scope = limited(RowRule("region", "=", ("N",)), RowRule("n", "<", ("4",)))

    assert numbers(seen(pool, lake, scope)) == [0, 2]


@pytest.mark.parametrize(
    "value", ["N' or true --", "N') union all select * from raw.sales --", "' || region || '", "\\'"]
)
def test_a_value_is_a_value_whatever_it_looks_like(pool: QueryPool, lake: Lake, value: str) -> None:
    for trusted in (True, False):
        assert seen(pool, lake, limited(RowRule("region", "in", (value,))), trusted=trusted) == []
        assert len(seen(pool, lake, limited(RowRule("region", "not in", (value,))), trusted=trusted)) == 21


def test_a_table_without_the_column_of_a_rule_is_not_there_unless_its_rows_are_public(
    pool: QueryPool, lake: Lake
) -> None:
    scope = limited(RowRule("country", "=", ("France",)))

    with pytest.raises(StatementWrong, match="No table named"):
        seen(pool, lake, scope)
    assert len(seen(pool, lake, scope, public=frozenset({"raw.sales"}))) == 21


def test_public_rows_are_no_way_around_a_rule_whose_column_is_there(pool: QueryPool, lake: Lake) -> None:
    scope = limited(RowRule("region", "=", ("N",)))

    assert len(seen(pool, lake, scope, public=frozenset({"raw.sales"}))) == 11


def test_a_rule_that_does_not_fit_shows_nothing_and_says_so(pool: QueryPool, lake: Lake) -> None:
    for rule in (RowRule("n", "=", ("many",)), RowRule("n", "<", ("nan",)), ColumnRule("", "region", "round 100")):
        with pytest.raises(PolicyWrong, match=r"does not fit raw\.sales\.(n|region)"):
            seen(pool, lake, limited(rule))


@pytest.mark.parametrize("trusted", [True, False])
def test_a_hidden_column_is_not_there(pool: QueryPool, lake: Lake, trusted: bool) -> None:
    scope = limited(ColumnRule("", "amount", "hide"))

    found = seen(pool, lake, scope, trusted=trusted)

    assert set(found[0]) == {"day", "region", "n"}
    with pytest.raises(StatementWrong, match="amount"):
        seen(pool, lake, scope, "select amount from raw.sales", trusted=trusted)
    with pytest.raises(StatementWrong, match="amount"):
        seen(pool, lake, scope, "select n from raw.sales order by amount", trusted=trusted)


def test_a_rule_may_stand_on_a_column_that_is_hidden_or_masked(pool: QueryPool, lake: Lake) -> None:
    for shown in ("hide", "hash"):
        scope = limited(RowRule("region", "=", ("N",)), ColumnRule("", "region", shown))

        assert numbers(seen(pool, lake, scope)) == numbers(
            seen(pool, lake, Scope(), "select * from raw.sales where region = 'N' order by day, n")
        )


def test_a_hash_groups_as_its_values_do_and_differs_from_lake_to_lake(open_pool: OpenPool, lake: Lake) -> None:
    scope = limited(ColumnRule("", "region", "hash"))
    grouped = "select region, count(*) as c from raw.sales group by region order by c"

    first, second = (seen(open_pool(mask_key=key), lake, scope, grouped) for key in ("one", "two"))

    assert [row["c"] for row in first] == [10, 11]
    assert all(len(row["region"]) == 16 for row in first)
    assert {row["region"] for row in first}.isdisjoint(row["region"] for row in second)


def test_a_masked_value_is_what_is_filtered_by(pool: QueryPool, lake: Lake) -> None:
    scope = limited(ColumnRule("raw.sales", "amount", "round 10"))

    found = seen(pool, lake, scope, "select distinct amount from raw.sales where amount in (0, 10, 7.25) order by 1")

    assert [row["amount"] for row in found] == [Decimal(0), Decimal(10)][: len(found)]
    assert found[0]["amount"] == Decimal(0)


def test_of_a_short_text_no_end_is_shown(open_pool: OpenPool, lake: Lake) -> None:
    scope = limited(ColumnRule("", "region", "last four"), ColumnRule("", "day", "last four"))

    found = seen(open_pool(), lake, scope)[0]

    assert (found["region"], found["day"]) == ("****", "****1-01")


SIGNS_OF_OTHERS = [
    "select count(*) from raw.sales where case when region = 'S' then cast(region as integer) > 0 else true end",
    "select count(*) from raw.sales where cast(case when region = 'S' then 'x' else '1' end as integer) = 1",
    "select * from raw.sales join (values (1)) v(i) on case when region = 'S' then cast('x' || n as integer) = 1 end",
    "select max(cast(case when region = 'S' then 'x' else '1' end as integer)) from raw.sales where n > 1",
    "select n from raw.sales order by cast(case when region = 'S' then 'x' else '1' end as integer), n limit 3",
]


@pytest.mark.parametrize("sql", SIGNS_OF_OTHERS)
def test_an_error_never_tells_of_rows_that_are_not_seen(pool: QueryPool, lake: Lake, sql: str) -> None:
    scope = limited(RowRule("region", "=", ("N",)))

    seen(pool, lake, scope, sql)

    with pytest.raises(StatementWrong) as caught:  # on all rows it does fail, without naming a value
        seen(pool, lake, Scope(), sql)
    assert "'x'" not in str(caught.value)


PREDICATES = st.sampled_from(
    ["true", "n % 3 = 0", "amount > 2", "region like '%N%'", "day < '2024-01-10'", "cast(amount as integer) > 1"]
)
SELECTS = st.sampled_from(
    [
        "select count(*) as c, sum(amount) as s from {t} where {where}",
        "select region, count(distinct day) as c from {t} where {where} group by region",
        "select * from {t} where {where}",
        "select n, sum(n) over (order by day, n) as s from {t} where {where}",
        "select a.n, b.n as m from (select * from {t} where {where}) as a join {t} as b on a.n = b.n + 1",
    ]
)
RULES = st.lists(
    st.builds(
        RowRule,
        st.just("region"),
        st.sampled_from(["in", "not in"]),
        st.sampled_from([("N",), ("S",), ("N", "S"), ("W",)]),
    )
    | st.builds(RowRule, st.just("n"), st.sampled_from(["<", ">="]), st.integers(0, 21).map(lambda n: (str(n),))),
    min_size=1,
    max_size=2,
)


def is_right(pool: QueryPool, lake: Lake, statement: tuple[str, str], rules: list[RowRule]) -> None:
    """An answer under rules is the answer on the allowed rows alone, trusted or not."""
    select, where = statement
    with duckdb.connect() as other:
        columns = "(day date, region varchar, amount decimal(18, 2), n bigint)"
        other.execute(f"create table t {columns}")
        allowed = [tuple(row.values()) for row in seen(pool, lake, Scope()) if all(_fits(rule, row) for rule in rules)]
        if allowed:
            other.executemany("insert into t values (?, ?, ?, ?)", allowed)
        expected = sorted(map(_written, other.execute(select.format(t="t", where=where)).fetchall()))

    for trusted in (True, False):
        found = seen(pool, lake, limited(*rules), select.format(t="raw.sales", where=where), trusted=trusted)
        assert sorted(_written(tuple(row.values())) for row in found) == expected


SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(SETTINGS, max_examples=12, derandomize=True)
@given(statement=st.tuples(SELECTS, PREDICATES), rules=RULES)
def test_an_answer_under_rules_is_the_answer_on_the_allowed_rows_alone(
    pool: QueryPool, lake: Lake, statement: tuple[str, str], rules: list[RowRule]
) -> None:
    is_right(pool, lake, statement, rules)


@pytest.mark.fuzz
@settings(SETTINGS, max_examples=1_000)
@given(statement=st.tuples(SELECTS, PREDICATES), rules=RULES)
def test_many_answers_under_rules_are_the_answers_on_the_allowed_rows_alone(
    pool: QueryPool, lake: Lake, statement: tuple[str, str], rules: list[RowRule]
) -> None:
    is_right(pool, lake, statement, rules)


def _written(row: tuple[Any, ...]) -> str:
    return " | ".join(map(str, row))


def _fits(rule: RowRule, row: dict[str, Any]) -> bool:
    """The rule in plain Python, independent of the SQL that is tested."""
    value = row[rule.column]
    match rule.operator:
        case "in":
            return value in rule.values
        case "not in":
            return value not in rule.values
        case "<":
            return int(value) < int(rule.values[0])
    return int(value) >= int(rule.values[0])
