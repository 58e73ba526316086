select
    line_id,
    order_id,
    customer_id,
    order_date,
    product,
    quantity,
    amount,
    region,
    stock_code,
    line_total,
    excluded_because as reason
from {{ ref("sales_lines") }}
where excluded_because is not null
