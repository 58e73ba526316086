-- Revenue by day is the revenue of the order lines.
select *
from (select coalesce(sum(line_total), 0) as of_lines from {{ ref("order_lines") }})
cross join (select coalesce(sum(revenue), 0) as of_days from {{ ref("daily_revenue") }})
where of_lines <> of_days
