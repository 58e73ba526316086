"""SQL in, Arrow out: everything DuckDB is behind this door."""
