{# dbt needs a real relation here: it refuses an ephemeral time spine. #}
{{ config(materialized='view') }}

select cast(range as date) as date_day
from range(date '2000-01-01', date '2050-01-01', interval 1 day)
