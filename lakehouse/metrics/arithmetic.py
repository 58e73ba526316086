"""Exact division in DuckDB's SQL, whose own `/` on decimals goes through DOUBLE.

One rule: both sides become whole numbers (HUGEINT), are divided as such, and are rounded half away from zero.
"""

from lakehouse.metrics.literal import ValueType

CHANGE = ValueType("decimal", 18, 6)


def ratio(numerator: tuple[str, ValueType], denominator: tuple[str, ValueType], result: ValueType) -> str:
    """One number divided by another; NULL when the denominator is 0. Numbers are (SQL expression, type)."""
    (top, top_type), (bottom, bottom_type) = numerator, denominator
    above, below = whole(top, top_type), whole(bottom, bottom_type)
    shift = bottom_type.scale - top_type.scale + result.scale
    rounded = f"sign({below}) * ({_rounded_quotient(above, f'abs({below})', shift)})"
    return _decimal(f"cast({rounded} as decimal({result.precision}, 0))", result)


def change(difference: str, size: str) -> str:
    """(now - before) / abs(before) as DECIMAL(18,6), of SQL expressions of both as `whole` numbers of one type.

    NULL when either is NULL or `size`, which is abs(before), is 0. It is NULL, too, from a trillionfold on, which the
    type cannot hold: one such row must not cost the whole answer. DuckDB binds an expression again wherever it stands,
    which takes longer than to compute it, so these two should be names of columns.
    """
    rounded = _rounded_quotient(difference, size, CHANGE.scale)
    return _decimal(f"try_cast({rounded} as decimal({CHANGE.precision}, 0))", CHANGE)


def whole(expression: str, found: ValueType) -> str:
    """The number as a HUGEINT counted in its last decimal place: 1.50 of DECIMAL(18,2) is 150."""
    factor = f" * {10**found.scale}" if found.scale else ""
    return f"cast({expression}{factor} as hugeint)"


def _rounded_quotient(top: str, bottom: str, shift: int) -> str:
    """Top * 10^shift / bottom of two HUGEINT expressions, the lower one not negative, as a whole number."""
    up, down = 10 ** max(shift, 0), 10 ** max(-shift, 0)
    divisor = f"{down} * {bottom}" if down > 1 else bottom
    # n / d rounded half away from zero is (2n + sign(n) d) // 2d, because DuckDB's // cuts towards zero.
    return f"({2 * up} * {top} + sign({top}) * {divisor}) // nullif(2 * {divisor}, 0)"


def _decimal(whole: str, result: ValueType) -> str:
    return f"cast({whole} * {10**-result.scale:.{result.scale}f} as {result.sql.lower()})"
