-- Quantity times amount is the same before and after staging, to the last digit.
with raw as (

    select coalesce(sum(quantity * amount), 0) as total, coalesce(sum(quantity), 0) as units
    from {{ source("raw", "sales") }}

), staged as (

    select coalesce(sum(quantity * amount), 0) as total, coalesce(sum(quantity), 0) as units
    from (
        select quantity, amount from {{ ref("stg_sales") }}
        union all
        select quantity, amount from {{ ref("stg_sales_excluded") }}
    )

)

select *
from raw
cross join staged
where raw.total <> staged.total or raw.units <> staged.units
