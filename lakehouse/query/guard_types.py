"""The types that constants and casts of a checked statement may have.

One rule: built-in types of plain data only. A type that stands in a catalog has been made by somebody, and types of
the engine's own (states of aggregates, types as values, geometry, variants) are for the engine.
"""

_OF_THE_PARSER = """
    BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT BIGNUM FLOAT DOUBLE
    DECIMAL VARCHAR BLOB BIT UUID DATE TIME TIME_NS TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL
    LIST ARRAY STRUCT MAP UNION NULL UNBOUND
"""
_BY_NAME = """
    array bigint bignum binary bit bitstring blob bool boolean bpchar bytea char date datetime dec decimal double enum
    float float4 float8 guid hugeint int int1 int128 int16 int2 int32 int4 int64 int8 integer integral interval json
    list logical long map numeric nvarchar oid real row short signed smallint string struct text time timestamp
    timestamptz timestamp_ms timestamp_ns timestamp_s timestamp_us timetz time_ns tinyint ubigint uhugeint uint128
    uint16 uint32 uint64 uint8 uinteger union usmallint utinyint uuid varbinary varchar varint
"""

TYPES = frozenset((*_OF_THE_PARSER.split(), "TIME WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"))
"""Types as the parser writes them; UNBOUND stands for one that is looked up by its name."""

NAMED_TYPES = frozenset(_BY_NAME.split())
"""Folded names that may be looked up."""
