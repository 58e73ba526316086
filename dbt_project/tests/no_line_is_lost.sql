-- Every row of raw.sales is in staging or among the excluded ones, and in no more than one of them.
select *
from (select count(*) as in_raw from {{ source("raw", "sales") }})
cross join (select count(*) as kept from {{ ref("stg_sales") }})
cross join (select count(*) as excluded from {{ ref("stg_sales_excluded") }})
cross join (select count(*) as in_marts from {{ ref("order_lines") }})
where in_raw <> kept + excluded or in_marts <> kept
