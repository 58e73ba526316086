select
    order_date,
    region,
    product,
    count(distinct order_id) as order_count,
    count(distinct customer_id) as customer_count,
    cast(sum(quantity) as bigint) as total_units,
    cast(sum(line_total) as decimal(18, 2)) as revenue,
    cast(round(avg(amount), 2) as decimal(18, 2)) as avg_order_value
from {{ ref("stg_sales") }}
group by order_date, region, product
order by order_date, region, product
