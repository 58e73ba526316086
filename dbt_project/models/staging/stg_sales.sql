select
    line_id,
    order_id,
    customer_id,
    order_date,
    product,
    quantity,
    amount,
    region,
    cast(year(order_date) as integer) as order_year,
    cast(month(order_date) as integer) as order_month,
    cast(quarter(order_date) as integer) as order_quarter,
    stock_code,
    line_total
from {{ ref("sales_lines") }}
where excluded_because is null
