{# The layer is the schema; dbt would put the target's name before it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}


{# One Iceberg table per model. Its rows stream into data files and a candidate that no catalog knows; what comes after
   in this run, tests included, reads the candidate. The run releases all candidates together once every test passed. #}
{% materialization iceberg, adapter="duckdb", supported_languages=["sql"] %}
    {%- set relation = this.incorporate(type="view") -%}
    {{ run_hooks(pre_hooks) }}
    {% do adapter.store_relation("lake", relation, [], "", "iceberg", {"sql": compiled_code, "node": model.unique_id}) %}
    {% call statement("main") -%}
        select 1
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}


{# A column of a raw table, or NULL of the given type where no source fills it. #}
{% macro column_or_null(relation, name, type) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute="name") | list if execute else [] -%}
    {{ name if name in columns else "cast(null as " ~ type ~ ")" }}
{%- endmacro %}
