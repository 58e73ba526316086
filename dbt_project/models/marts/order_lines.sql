select
    line_id,
    order_id,
    customer_id,
    stock_code,
    product,
    region,
    order_date,
    order_year,
    order_quarter,
    order_month,
    quantity,
    amount,
    line_total
from {{ ref("stg_sales") }}
order by order_date, line_id  -- readers that ask for a period open only the files and row groups that hold it
