"""What analysts ask every day: statements over the tables of `sql_grammar` that the guard must let through.

One rule: every answer is determined by the data alone up to the order of rows, so that it can be compared.
"""

EVERYDAY: tuple[str, ...] = (
    # Plain reading
    "select * from marts.orders",
    "from marts.orders",
    "table marts.orders",
    "from marts.orders select region, amount where amount > 10",
    "select region, amount as value from marts.orders where region in ('North', 'South') and not paid;",
    "select distinct region from marts.orders order by region",
    "select o.region, o.amount from marts.orders as o where o.amount between 5 and 50",
    'select "Region", "AMOUNT" from "Marts"."ORDERS"',
    "select marts.orders.id, orders.amount from marts.orders",
    "select * from marts.orders where note is null or note like '%a_' or note ilike 'N%'",
    "select * from marts.orders where note not like 'a%' and note similar to '[a-z ]+'",
    "select * from marts.orders where note like '10!%%' escape '!'",
    "select id from marts.orders order by amount desc nulls last, id limit 5 offset 2",
    "select id from marts.orders order by id limit 10%",
    "select id, amount from marts.orders order by all",
    "values (1, 'a'), (2, 'b')",
    "select * from (values (1, 'one'), (2, 'two')) as v(number, word)",
    "select -amount, +amount, amount % 7, amount // 2, 2 ** 3, 7 & 3, 1 << 4, 'a' || note from marts.orders",
    "select 1e3, 1.50, .5, 12345678901234567890, -170141183460469231731687303715884105727, true, null, 'it''s'",
    "-- the regions\nselect region /* all of them */ from marts.orders",
    # Aggregates
    "select count(*), count(note), count(distinct region), sum(amount), avg(amount), min(day) from marts.orders",
    "select region, sum(amount) from marts.orders group by region having sum(amount) > 10",
    "select region, sum(amount) from marts.orders group by all order by 1",
    "select region, paid, sum(amount) from marts.orders group by rollup (region, paid)",
    "select region, paid, count(*) from marts.orders group by cube (region, paid)",
    "select region, paid, grouping(region), count(*) from marts.orders group by grouping sets ((region), (paid), ())",
    "select sum(amount) filter (where paid), count(*) filter (region = 'North') from marts.orders",
    "select median(amount), quantile_cont(amount, [0.25, 0.75]), stddev_samp(amount), mode(region) from marts.orders",
    "select percentile_cont(0.5) within group (order by amount) from marts.orders",
    "select string_agg(region, ', ' order by id), list(id order by id desc), array_agg(distinct paid order by paid) "
    "from marts.orders",
    "select arg_max(id, (amount, id)), max_by(note, id), first(region order by id), count_if(paid) from marts.orders",
    "select bool_and(paid), bool_or(paid), bit_or(id), histogram(region), approx_count_distinct(region) "
    "from marts.orders",
    "select corr(amount, id), regr_slope(amount, id) from marts.orders",
    # Windows
    "select id, row_number() over (partition by region order by amount, id) from marts.orders",
    "select id, sum(amount) over (order by id rows between 2 preceding and current row) from marts.orders",
    "select id, lag(amount, 1, 0) over w, lead(amount) over w, rank() over w from marts.orders "
    "window w as (partition by region order by id)",
    "select id, first_value(amount ignore nulls) over (order by id), ntile(4) over (order by id) from marts.orders",
    "select day, avg(amount) over (order by day range between interval 7 days preceding and current row) "
    "from marts.orders",
    "select id, sum(amount) over (order by id rows between unbounded preceding and 1 following exclude current row) "
    "from marts.orders",
    "select * from marts.orders qualify row_number() over (partition by region order by amount desc, id) <= 2",
    "select id, amount / sum(amount) over () as share, cume_dist() over (order by amount) from marts.orders",
    "select id, count(distinct region) over (order by id), sum(amount) filter (where paid) over (order by id) "
    "from marts.orders",
    "select distinct on (region) region, id from marts.orders order by region, id",
    # Joins
    "select o.id, c.label from marts.orders o join marts.regions c using (region)",
    "select o.id, c.label from marts.orders o left join marts.regions c on c.region = o.region and c.active",
    "select * from marts.orders o natural join marts.regions",
    "select count(*) from marts.orders, marts.regions",
    "select count(*) from marts.orders cross join marts.regions",
    "from marts.orders o semi join marts.regions r on r.region = o.region",
    "from marts.orders o anti join marts.regions r using (region)",
    "select o.id, r.label from marts.orders o full outer join marts.regions r on o.region = r.region",
    "select o.id, r.label from marts.orders o asof join marts.regions r on o.region = r.region and o.day >= r.since",
    "select a.x, b.y from (values (1), (2)) a(x) positional join (values (3), (4)) b(y)",
    "select r.region, t.top from marts.regions r, lateral "
    "(select max(amount) as top from marts.orders o where o.region = r.region) t",
    # Subqueries and CTEs
    "select * from marts.orders where amount > (select avg(amount) from marts.orders)",
    "select * from marts.orders o where exists (select 1 from marts.regions r where r.region = o.region)",
    "select * from marts.orders where region not in (select region from marts.regions where active)",
    "select * from marts.orders where amount >= all (select amount from marts.orders where paid)",
    "select id, region = any(['North', 'East']) from marts.orders",
    "select array(select id from marts.orders order by id)",
    "with paid as (select * from marts.orders where paid) select region, sum(amount) from paid group by 1",
    "with a as (from marts.orders), b as not materialized (from a where paid) select count(*) from b join a using (id)",
    "with orders as (select * from marts.orders where paid) select count(*) from orders",
    'with "Odd Name"(n) as (select 1) select n from "odd name"',
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) select sum(i) from n",
    "with recursive days as (select date '2024-01-01' as d union all select d + 1 from days where d < '2024-01-31') "
    "select d, coalesce(sum(amount), 0) from days left join marts.orders on day = d group by d",
    "select region from marts.orders union select region from marts.regions",
    "select region from marts.orders union all by name select label, region from marts.regions",
    "(select region from marts.orders intersect select region from marts.regions) except all select 'North'",
    # Dates
    "select date_trunc('month', day) as month, sum(amount) from marts.orders group by month order by month",
    "select extract(year from day), year(day), dayname(day), strftime(day, '%Y-%m'), last_day(day) from marts.orders",
    "select day + interval 1 month, day - interval '3 days', day - date '2024-01-01', date_diff('day', day, date "
    "'2024-12-31') from marts.orders",
    "select * from marts.orders where day >= date '2024-01-01' and day < '2024-02-01'::date",
    "select placed, placed at time zone 'UTC' at time zone 'Europe/Berlin', time_bucket(interval 2 weeks, day) "
    "from marts.orders",
    "select make_date(2024, 2, 29), try_strptime('x', '%Y'), timestamp '2024-01-01 12:00' + interval (3) hours, "
    "epoch(timestamp '2024-01-01')",
    "select unnest(generate_series(date '2024-01-01', date '2024-03-01', interval 1 month)) as month",
    # Lists, structs, maps, lambdas
    "select tags[1], tags[1:2], tags[-1], len(tags), list_contains(tags, 'a') from marts.orders",
    "select id, unnest(tags) as tag from marts.orders",
    "select o.id, u.tag from marts.orders o, unnest(o.tags) as u(tag)",
    "select list_transform(tags, lambda x: upper(x)), list_filter(tags, lambda x, i: i > 1) from marts.orders",
    "select list_reduce([1, 2, 3], lambda a, b: a + b), [x * 2 for x in [1, 2, 3] if x > 1]",
    "select {'a': 1, 'b': {'c': 'x'}}.b.c, struct_pack(k := id), row(1, 'a'), (1, 2) = (1, 2) from marts.orders",
    "select map {'a': 1, 'b': 2}['a'], map_keys(map(['k'], ['v'])), list_sort([3, 1]), list_aggregate([1, 2], 'sum')",
    "select o from marts.orders o",
    "select o.* from marts.orders o",
    "select unnest(o) from (select id, region from marts.orders) o",
    # Stars
    "select * exclude (note, tags) from marts.orders",
    "select * exclude (o.note) from marts.orders o",
    "select * replace (round(amount) as amount) from marts.orders",
    "select * rename (amount as value) from marts.orders",
    "select columns('a.*') from marts.orders",
    "select columns(c -> c like '%a%') from marts.orders",
    "select columns(lambda c: c like '%a%') from marts.orders",
    "select min(columns(* exclude (tags, payload))) from marts.orders",
    "select coalesce(*columns(['region', 'note'])) from marts.orders",
    "select * like '%o%' from marts.orders",
    # JSON
    "select payload -> '$.customer', payload ->> '$.customer.name', payload ->> 'kind' from marts.orders",
    "select json_extract_string(payload, '$.kind'), json_keys(payload), json_array_length('[1,2]') from marts.orders",
    "select o.id, e.key, e.value from marts.orders o, json_each(o.payload) e",
    "select payload::json, cast('[1,2]' as json)::int[], to_json(o), json_object('a', id) from marts.orders o",
    'select from_json(\'{"a": 1}\', \'{"a": "INTEGER"}\').a, json_group_array(id) from marts.orders',
    # PIVOT
    "pivot marts.orders on region in ('North', 'South') using sum(amount) group by paid",
    "pivot marts.orders on region in ('North', 'South') using sum(amount) as total, count(*) as n group by paid",
    "from (select region, paid, amount from marts.orders) pivot (sum(amount) for region in ('North', 'South'))",
    "with o as (select region, amount from marts.orders) pivot o on region in ('North') using sum(amount)",
    "unpivot (select id, amount, id * 2 as twice from marts.orders) on amount, twice into name measure value v",
    "from (select id, amount a, amount * 2 b from marts.orders) unpivot include nulls (v for m in (a, b as 'double'))",
    "unpivot (select id, amount from marts.orders) on columns(* exclude (id)) into name k value v",
    # Text and types
    "select upper(note), note[1:3], substring(note from 2 for 2), trim(both ' ' from note), replace(note, 'a', 'b'), "
    "split_part(note, ' ', 1), regexp_replace(note, '[0-9]+', '#', 'g'), note ~ 'a.*', position('a' in note), "
    "concat_ws('-', region, note), printf('%05d', id), lpad(id::varchar, 5, '0'), format('{:.2f}', 1.5::double), "
    "note.upper().reverse() from marts.orders",
    "select cast(amount as integer), try_cast(note as integer), amount::decimal(10, 1), '12'::smallint, id::double "
    "from marts.orders",
    "select 'x'::varchar(5), [1, 2]::bigint[], {'a': 1}::struct(a varchar), map {'a': 1}::map(varchar, double)",
    "select case when amount > 20 then 'large' when amount is null then '?' else 'small' end, case region when 'North' "
    "then 1 end, if(paid, 1, 0), coalesce(note, '-'), ifnull(note, '-'), nullif(region, 'North') from marts.orders",
    "select amount is distinct from 5, paid is true, id is null, not paid, note collate nocase from marts.orders",
    "select greatest(amount, 10), abs(-1), round(2.567, 1), floor(1.5), ln(2.0), hash(id) > 0 from marts.orders",
    "select i, i * i from range(1, 6) as r(i)",
    "select * from generate_series(1, 3)",
    "select try(1 / 0), [1, 2, 3] && [3], typeof(amount), md5(note) from marts.orders",
    "select region, sum(amount) as total, total * 2 as twice from marts.orders group by region having total > 0",
    "select sum(x) from (select 1 as x union all select 2) where x > 0",
    'select \'a\' as "a b", 1 as "select", 2 as "Ümlaut"',
)
"""Everyday statements."""
