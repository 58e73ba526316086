{{ config(materialized="ephemeral") }}

with source as (

    select * from {{ source("raw", "sales") }}

), renamed as (

    select
        line_id,
        order_id,
        {{ column_or_null(source("raw", "sales"), "customer_id", "varchar") }} as customer_id,
        cast(order_date as date) as order_date,
        {{ column_or_null(source("raw", "sales"), "product", "varchar") }} as product,
        {{ column_or_null(source("raw", "sales"), "stock_code", "varchar") }} as stock_code,
        {{ column_or_null(source("raw", "sales"), "region", "varchar") }} as region,
        cast(quantity as bigint) as quantity,
        amount
    from source

), judged as (

    select
        *,
        cast(quantity * amount as decimal(18, 2)) as line_total,
        case
            when quantity is null then 'no quantity'
            when amount is null then 'no amount'
            when quantity <= 0 then 'quantity is not above 0'
            when amount <= 0 then 'amount is not above 0'
        end as excluded_because
    from renamed

)

select * from judged
