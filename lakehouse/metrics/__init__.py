"""The semantic layer: dbt's YAML in, typed plans, DuckDB SQL out. Pure: no data, no state."""
