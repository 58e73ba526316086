"""A grammar of statements over two tables, for hypothesis: everything analysts combine, in combinations nobody types.

One rule: with `determined=True` the answer is settled by the data up to the order of rows, so that two ways of running
a statement can be compared; without it there are also LIMIT without an order, samples, chance and the clock.
"""

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

SETUP = """
set timezone = 'UTC';
create schema marts;
create table marts.orders (id integer, region varchar, day date, placed timestamptz, amount decimal(18, 2),
    paid boolean, note varchar, tags varchar[], payload varchar);
insert into marts.orders select i, ['North', 'South', 'East', null][1 + i % 4], date '2024-01-01' + (i * 3)::int,
    timestamptz '2024-01-01 08:00:00+00' + to_hours(i), i * 2.25, i % 3 = 0,
    ['a note', '10% of it', null, 'Nab'][1 + (i * 7) % 4], ['a', 'b', 'c'][1:i % 4],
    '{"kind": "k' || i % 3 || '", "customer": {"name": "n' || i || '"}}' from range(24) t(i);
create table marts.regions (region varchar, label varchar, active boolean, since date);
insert into marts.regions values ('North', 'N', true, '2023-01-01'), ('South', 'S', false, '2024-02-01'),
    ('West', 'W', true, '2024-01-01');
"""
"""Makes both tables."""

TABLES = ("marts.orders", "marts.regions")

Texts = st.SearchStrategy[str]

_NUMBERS = st.sampled_from(
    ("id", "amount", "1", "2.5", "1e1", "-3", "0", "len(note)", "null", "year(day)", "7::bigint", "id::double")
)
_STRINGS = st.sampled_from(
    ("region", "note", "'a'", "'it''s'", "'10%'", "''", "payload ->> 'kind'", "tags[1]", "'é\u212a'")
)
_DAYS = st.sampled_from(("day", "date '2024-02-01'", "day + interval 1 month", "day - 3", "last_day(day)"))
_OPERATORS = ("+", "-", "*", "//", "%")
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=", "is distinct from", "is not distinct from")
_AGGREGATES = ("sum({})", "avg({})", "min({})", "max({})", "count({})", "count(distinct {})", "median({})")
_FRAMES = ("", "rows between 1 preceding and current row", "rows unbounded preceding", "groups 1 preceding")


@st.composite
def statements(draw: st.DrawFn, *, determined: bool = True) -> str:
    """Statements over `TABLES`; most of them run, some are refused by the binder."""
    # Parts are drawn, not nested: hypothesis would print the whole grammar otherwise, and warns that it is long.
    return draw(_statements(determined))


@cache
def _statements(determined: bool) -> Texts:
    base = st.one_of(_plain(), _grouped(), _windowed(), _joined(), _with(), _pivoted(), _lists())
    combined = st.one_of(
        base,
        st.tuples(_narrow(), st.sampled_from(("union", "union all", "except", "intersect all")), _narrow()).map(
            lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"
        ),
        base.map(lambda sql: f"select * from ({sql}) as inside"),
        base.map(lambda sql: f"with whole as materialized ({sql}) from whole"),
    )
    return combined if determined else st.one_of(combined, _undetermined(base))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Expressions over the orders that give a number."""
    return draw(_numbers())


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """Expressions over the orders that give a truth value."""
    return draw(_conditions())


@cache
def _numbers() -> Texts:
    return st.recursive(
        _NUMBERS,
        lambda inner: st.one_of(
            _binary(inner, _OPERATORS),
            _call(inner, ("abs({})", "round({}, 1)", "floor({})", "coalesce({}, 0)", "nullif({}, 0)", "- {}")),
            st.tuples(_binary(inner, _COMPARISONS), inner, inner).map(
                lambda p: f"case when {p[0]} then {p[1]} else {p[2]} end"
            ),
            _call(inner, ("try_cast(({})::varchar as integer)", "({})::decimal(18, 3)", "greatest({}, 2)")),
        ),
        max_leaves=5,
    )


@cache
def _conditions() -> Texts:
    number = _NUMBERS
    simple = st.one_of(
        _binary(number, _COMPARISONS),
        _binary(_STRINGS, (*_COMPARISONS, "like", "not ilike")),
        _binary(_DAYS, _COMPARISONS),
        st.tuples(number, number, number).map(lambda p: f"{p[0]} between {p[1]} and {p[2]}"),
        st.tuples(number, st.lists(number, min_size=1, max_size=3)).map(lambda p: f"{p[0]} in ({', '.join(p[1])})"),
        _STRINGS.map(lambda text: f"{text} is null"),
        st.sampled_from(("paid", "paid is not true", "true", "list_contains(tags, 'a')", "id in (select 3)")),
        st.sampled_from(
            ("exists (from marts.regions r where r.label = 'N')", "amount > (select avg(amount) from marts.orders)")
        ),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(_binary(inner, ("and", "or")), inner.map(lambda condition: f"not ({condition})")),
        max_leaves=3,
    )


def multiset(rows: Sequence[tuple[Any, ...]]) -> Counter[str]:
    """Rows without their order; doubles to nine digits."""
    return Counter(repr(tuple(_rounded(value) for value in row)) for row in rows)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else repr(value)
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return value.normalize() if isinstance(value, Decimal) else value


def _binary(operand: Texts, operators: Sequence[str]) -> Texts:
    return st.tuples(operand, st.sampled_from(tuple(operators)), operand).map(lambda p: f"({p[0]} {p[1]} {p[2]})")


def _call(operand: Texts, shapes: Sequence[str]) -> Texts:
    return st.tuples(st.sampled_from(tuple(shapes)), operand).map(lambda parts: parts[0].format(parts[1]))


def _plain() -> Texts:
    columns = st.lists(st.one_of(numbers(), _STRINGS, _DAYS, conditions()), min_size=1, max_size=4)
    stars = st.sampled_from(
        ("*", "* exclude (note)", "* replace (id + 1 as id)", "columns('a|id')", "orders.*", "orders")
    )
    chosen = st.one_of(columns.map(", ".join), stars)
    return st.tuples(st.sampled_from(("", "distinct ")), chosen, conditions()).map(
        lambda parts: f"select {parts[0]}{parts[1]} from marts.orders where {parts[2]}"
    )


def _narrow() -> Texts:
    """One column of text, so that any two fit together."""
    return st.tuples(_STRINGS, conditions()).map(lambda p: f"(select {p[0]} from marts.orders where {p[1]})")


def _grouped() -> Texts:
    groups = st.sampled_from(("1", "all", "rollup (1, 2)", "cube (1, 2)", "grouping sets ((1, 2), ())"))
    measures = st.lists(_call(numbers(), _AGGREGATES), min_size=1, max_size=3)
    filters = st.one_of(st.just(""), conditions().map(lambda condition: f" filter (where {condition})"))
    having = st.one_of(st.just(""), _NUMBERS.map(lambda number: f" having sum(amount) > coalesce(max({number}), 0)"))
    return st.tuples(groups, measures, filters, having).map(
        lambda p: (
            f"select region, {'any_value(1)' if p[0] == '1' else 'paid'}, "
            f"{', '.join(measure + p[2] for measure in p[1])} from marts.orders group by {p[0]}{p[3]}"
        )
    )


def _windowed() -> Texts:
    function = st.one_of(
        st.sampled_from(("row_number()", "rank()", "lag(amount, 1)", "first_value(note)", "ntile(3)")),
        _call(_NUMBERS, ("sum({})", "max({})", "count({})")),
    )
    return st.tuples(
        function, st.sampled_from(("", "partition by region ")), st.sampled_from(_FRAMES), conditions()
    ).map(
        lambda p: (
            f"select id, {p[0]} over ({p[1]}order by id {p[2]}) as w from marts.orders where {p[3]} "
            "qualify count(*) over () >= 0"
        )
    )


def _joined() -> Texts:
    joins = ("join", "left join", "full join", "semi join", "anti join")
    return st.tuples(
        st.sampled_from(joins), st.sampled_from(("using (region)", "on o.region = r.region and r.active")), numbers()
    ).map(
        lambda p: (
            f"select o.id, {p[2]} from marts.orders o {p[0]} marts.regions r {p[1]}"
            if p[0] in joins[-2:]
            else f"select o.id, r.label, {p[2]} from marts.orders o {p[0]} marts.regions r {p[1]}"
        )
    )


def _with() -> Texts:
    names = st.sampled_from(("a", "orders", '"Odd Name"', "regions"))
    return st.tuples(names, _plain(), conditions()).map(
        lambda p: (
            f"with {p[0]} as ({p[1]}), n(i) as (select count(*) from {p[0]}) "
            f"select i, id from n, marts.orders where {p[2]}"
        )
    )


def _pivoted() -> Texts:
    return st.tuples(_call(_NUMBERS, _AGGREGATES[:5]), st.sampled_from(("", " group by paid")), conditions()).map(
        lambda p: f"pivot (from marts.orders where {p[2]}) on region in ('North', 'South') using {p[0]} as v{p[1]}"
    )


def _lists() -> Texts:
    return st.one_of(
        numbers().map(lambda n: f"select id, list_transform([1, 2], lambda x: x + ({n})) from marts.orders"),
        _STRINGS.map(lambda s: f"select id, [upper(t) for t in tags if t <> {s}] from marts.orders"),
        numbers().map(lambda n: f"select {{'a': {n}, 'b': tags}}.a, map {{'k': {n}}}['k'] from marts.orders"),
        conditions().map(lambda c: f"select o.id, t.x from marts.orders o, unnest(o.tags) as t(x) where {c}"),
        numbers().map(lambda n: f"unpivot (select id, ({n})::double as a, 1::double as b from marts.orders) on a, b"),
    )


def _undetermined(base: Texts) -> Texts:
    return st.one_of(
        st.tuples(base, st.integers(0, 5)).map(lambda p: f"select * from ({p[0]}) as inside limit {p[1]}"),
        base.map(lambda sql: f"select * from ({sql}) as inside using sample 3"),
        conditions().map(lambda c: f"select any_value(note), random() < 2, now() is null from marts.orders where {c}"),
    )
