"""Bombs that need nothing but SQL: what is too long or too deep is refused, what is only costly is stopped.

One rule: each uses far more than a worker of the tests may, or is as long as a statement may be; none reads a table.
"""

from attacks import ATTACKS

from lakehouse.query.guard import LONGEST_TEXT


def longest(start: str, piece: str, end: str = "") -> str:
    """A statement of as many pieces as its text may hold."""
    return start + piece * ((LONGEST_TEXT - len(start) - len(end)) // len(piece)) + end


def nested(opening: str, closing: str, depth: int, before: str = "select ", inside: str = "1") -> str:
    """One thing in itself, so many times."""
    return before + opening * depth + inside + closing * depth


_DOUBLED = "".join(f", a{n} as (from a{n - 1} union all from a{n - 1})" for n in range(1, 40))
_WIDE = ",".join(f"repeat('x', 1000000) as c{n}" for n in range(2_000))
_DEEP = {
    "million terms in a list": "select 1 in (1" + ",1" * 1_000_000 + ")",
    "longest IN": longest("select 1 in (1", ",1", ")"),
    "longest AND": longest("select 1=1", " and 1=1"),
    "longest OR": longest("select count(*) from range(1000000) t(x) where x=1", " or x=1"),
    "longest UNION": longest("select 1", " union select 1"),
    "longest UNION ALL": longest("select 1", " union all select 1"),
    "longest VALUES": longest("values (1)", ",(1)"),
    "longest list": longest("select [1", ",1", "]"),
    "longest SELECT": longest("select 1", ",1"),
    "longest sum": longest("select 1", "+1"),
    "longest chain of texts": longest("select 'x'", "||'x'"),
    "longest PIVOT": longest("pivot (select 1 as i) on i in (1", ",1", ") using sum(i)"),
    "brackets": nested("(", ")", 49_000),
    "lists": nested("[", "]", 40_000),
    "shallow lists": nested("[", "]", 900),
    "subqueries": nested("(select ", ")", 5_000),
    "shallow subqueries": nested("(select ", ")", 300),
    "subqueries in FROM": nested("(select * from ", ")", 3_000, "select * from ", "(select 1)"),
    "CASE": nested("case when 1=1 then ", " end", 3_000),
    "NOT": nested("not ", "", 20_000, inside="true"),
    "minus": nested("- ", "", 40_000),
    "functions": nested("abs(", ")", 10_000),
    "joins": "select count(*) from range(10) t" + "".join(f" cross join range(10) t{n}" for n in range(2_500)),
    "all groups": f"select count(*) from range(9) t(x) group by cube ({','.join(f'x%{n + 2}' for n in range(30))})",
    "size of a pattern": "select regexp_matches('a', '((((a{100}){100}){100}){100}){100}')",
}
_COSTLY = {
    "long text": "select length(repeat('x', 3000000000))",
    "replaced text": "select length(replace(repeat('a', 100000000), 'a', repeat('b', 100)))",
    "translated text": "select length(translate(repeat('a', 1000000000), 'a', 'b'))",
    "collected text": "select length(string_agg(repeat('x', 1000000), '')) from range(100000)",
    "bits": "select length(bitstring('1', 2000000000))",
    "digits": "select length((repeat('9', 1000000))::varint::varchar)",
    "padded number": "select length(format('{:2000000000d}', 1))",
    "distance of texts": "select levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "pattern": "select regexp_matches(repeat('a', 30000000), '(a*)*b|(a|a)*c|((a?){1000}){1}d')",
    "pattern that replaces": "select length(regexp_replace(repeat('a', 10000000), 'a', repeat('b', 1000), 'g'))",
    "pattern that splits": "select len(regexp_split_to_array(repeat('a', 300000000), ''))",
    "JSON that is deep": "select json_valid(repeat('[', 10000000))",
    "JSON that ends the process": ("""select json_structure(repeat('{"a":', 100000) || '1' || repeat('}', 100000))"""),
    "JSON that is large": "select length(json_group_array(repeat('x', 10000))::varchar) from range(10000000)",
    "list of a range": "select len(range(4000000000))",
    "sorted list": "select len(list_sort(range(1000000000)))",
    "unnested list": "select count(*) from (select unnest(range(1000000000)) as x) where x % 7 = 1",
    "list of lists": "select len(flatten(list_transform(range(100000), x -> range(100000))))",
    "list in a list": "select len(list_transform(range(100000), x -> list_transform(range(100000), y -> x * y)))",
    "map": "select cardinality(map(range(200000000), range(200000000)))",
    "doubled rows": f"with a0 as (select 1 as x){_DOUBLED} select count(*) from a39",
    "twelve cross joins": (
        f"with a as (from range(1000)) select count(*) from {','.join(f'a a{n}' for n in range(12))}"
    ),
    "recursion that spreads": (
        "with recursive a(x) as (select 1 union all select a.x + 1 from a, range(1000)) select count(*) from a"
    ),
    "hash join": "select count(*) from range(1000000000) a(i) join range(1000000000) b(j) on hash(i) = hash(j)",
    "lateral join": "select count(*) from range(1000000) a(i), lateral (select sum(j) from range(a.i) b(j))",
    "correlated subquery": (
        "select count(*) from range(10000000) a(i) where exists (select 1 from range(10000000) b(j) where j + i < 0)"
    ),
    "sort": "select * from range(10000000000) t(i) order by hash(i) limit 1 offset 1000000000",
    "distinct values": "select count(distinct hash(i)) from range(10000000000) t(i)",
    "quantiles": "select quantile_cont(i, [x / 1000 for x in range(1000)]) from range(1000000000) t(i)",
    "window": (
        "select sum(s) from (select sum(i) over (order by i rows between 1000000 preceding and 1000000 following) as s"
        " from range(100000000) t(i))"
    ),
    "moments": (
        "select count(*) from generate_series(timestamp '0001-01-01', timestamp '9999-01-01', interval 1 microsecond)"
    ),
    "sample of endless rows": "select count(*) from range(1000000000000) using sample 10%",
    "hashed rows": "select count(*) from range(1000000000000) t(i) where md5(i::varchar) = 'x'",
    "endless answer": "select i from range(100000000000) t(i)",
    "answer of long rows": "select i, repeat('x', 100000) from range(100000000) t(i)",
    "answer of wide rows": "select "
    + ",".join(f"repeat('x', 1000000) as c{n}" for n in range(2_000))
    + " from range(100000)",
}

REFUSED = _DEEP | {
    f"{attack.kind}: {attack.name}": attack.sql
    for attack in ATTACKS
    if attack.kind in ("bombs", "crashes") and not attack.bounded
}
"""What the guard or DuckDB's own parser refuses."""

COSTLY = _COSTLY | {f"bombs: {attack.name}": attack.sql for attack in ATTACKS if attack.bounded}
"""What only the limits of a worker stop."""
