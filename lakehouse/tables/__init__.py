"""Iceberg tables: catalog, writes, commits and releases. Everything PyIceberg is behind this door."""
