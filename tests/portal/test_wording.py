"""How numbers, changes and shares are worded."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import wording

MONEY = st.decimals(-(10**25), 10**25, places=2, allow_nan=False, allow_infinity=False)
AMOUNTS = st.one_of(MONEY, st.decimals(-(10**7), 10**7, places=4, allow_nan=False), st.integers(-(10**38), 10**38))
FACTORS = {"": 1, "k": 10**3, "M": 10**6, "bn": 10**9, "tn": 10**12}


def plain(text: str) -> str:
    """The text with `_` for a thin space and `-` for a real minus; it may hold neither of the two itself."""
    assert "_" not in text
    assert "-" not in text
    return text.replace("\u2212", "-").replace("\u2009", "_")


def read(text: str) -> tuple[Fraction, Fraction]:
    """The number that a short text stands for, and what one in its last digit is worth."""
    number, _, unit = plain(text).partition("_")
    decimals = len(number.partition(".")[2])
    return Fraction(number.replace(",", "")) * FACTORS[unit], Fraction(FACTORS[unit], 10**decimals)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00", "0.00"),
        ("825.30", "825.30"),
        ("-825.30", "-825.30"),
        ("99999.99", "99,999.99"),
        ("100000.00", "100.0_k"),
        ("408524.83", "408.5_k"),
        ("408550.00", "408.6_k"),  # halves go away from zero
        ("-408550.00", "-408.6_k"),
        ("999949.99", "999.9_k"),
        ("999950.00", "1.00_M"),
        ("1286000", "1.29_M"),
        ("9995000", "10.0_M"),
        ("12300000", "12.3_M"),
        ("123456789", "123_M"),
        ("999500000", "1.00_bn"),
        ("3400000000", "3.40_bn"),
        ("3400000000000", "3.40_tn"),
        ("3400000000000000", "3,400_tn"),
    ],
)
def test_a_tile_shows_three_digits_of_what_is_large(value: str, text: str) -> None:
    assert plain(wording.short(Decimal(value))) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (495, None, "495"),
        (31400, None, "31,400"),
        (31400, 2, "31,400.00"),
        (Decimal("825.305"), 2, "825.31"),
        (Decimal("825.50"), 0, "826"),
        (Decimal("99999.995"), 2, "100.0_k"),
        (Decimal("-0.004"), 2, "0.00"),
        (Decimal("1E+3"), None, "1,000"),
        (None, 2, "–"),
    ],
)
def test_below_100_000_the_caller_chooses_the_decimals(
    value: Decimal | int | None, decimals: int | None, text: str
) -> None:
    assert plain(wording.short(value, decimals)) == text


@given(AMOUNTS, st.one_of(st.none(), st.integers(0, 4)))
def test_a_short_number_is_within_half_of_its_last_digit(value: Decimal | int, decimals: int | None) -> None:
    shown, last_digit = read(wording.short(value, decimals))

    assert abs(shown - Fraction(value)) <= last_digit / 2
    assert shown * Fraction(value) >= 0


@given(AMOUNTS)
def test_a_short_number_has_no_more_than_it_needs(value: Decimal | int) -> None:
    number, _, unit = plain(wording.short(value, 2)).lstrip("-").partition("_")

    shape = {"": r"\d{1,2},\d{3}\.\d\d|\d{1,3}\.\d\d", "k": r"\d{3}\.\d", "tn": r"\d\.\d\d|\d\d\.\d|\d{1,3}(,\d{3})*"}
    assert re.fullmatch(shape.get(unit, r"\d\.\d\d|\d\d\.\d|\d{3}"), number)


@given(AMOUNTS, AMOUNTS)
def test_a_larger_number_never_looks_smaller(one: Decimal | int, other: Decimal | int) -> None:
    low, high = sorted([one, other])

    assert read(wording.short(low, 2))[0] <= read(wording.short(high, 2))[0]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (Decimal("408524.83"), None, "408,524.83"),
        (Decimal("-408524.83"), None, "-408,524.83"),
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("-0.125"), 2, "-0.13"),
        (248137, None, "248,137"),
        (7, 2, "7.00"),
        (Decimal("-0.00"), None, "0.00"),
        (
            Decimal("12345678901234567890123456789012345678.91"),
            None,
            "12,345,678,901,234,567,890,123,456,789,012,345,678.91",
        ),
        (None, None, "–"),
    ],
)
def test_an_exact_number_has_all_its_digits(value: Decimal | int | None, decimals: int | None, text: str) -> None:
    assert plain(wording.exact(value, decimals)) == text


@given(AMOUNTS)
def test_an_exact_number_is_read_back(value: Decimal | int) -> None:
    assert Decimal(plain(wording.exact(value)).replace(",", "")) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (950, "950"),
        (40000, "40k"),
        (12500, "12.5k"),
        (10250, "10.25k"),
        (-20000, "-20k"),
        (999999, "1M"),
        (1300000, "1.3M"),
        (Decimal("2E+9"), "2bn"),
        (10**17, "100,000tn"),
        (0.25, "0.25"),
        (0.1 + 0.2, "0.3"),
        (0.0005, "0.0005"),
        (5.551115123125783e-17, "0"),
    ],
)
def test_a_tick_is_short_and_has_no_needless_zeros(value: Decimal | float, text: str) -> None:
    assert plain(wording.axis(value)) == text


@pytest.mark.parametrize(
    ("ratio", "text", "direction", "signed"),
    [
        ("0.512", "51.2_%", "up", "+51.2_%"),
        ("-0.464", "46.4_%", "down", "-46.4_%"),
        ("0.0005", "0.1_%", "up", "+0.1_%"),
        ("0.000499", "no change", "same", "no change"),
        ("-0.000499", "no change", "same", "no change"),
        ("0", "no change", "same", "no change"),
        ("9.99", "999.0_%", "up", "+999.0_%"),
        ("9.9905", ">999_%", "up", "+999.1_%"),
        ("14.21", ">999_%", "up", "+1,421.0_%"),
        ("-14.21", ">999_%", "down", "-1,421.0_%"),
    ],
)
def test_a_change_has_a_size_and_a_direction(ratio: str, text: str, direction: str, signed: str) -> None:
    found = wording.change(Decimal(ratio))

    assert found is not None
    assert (plain(found.text), found.direction, plain(found.signed)) == (text, direction, signed)


def test_nothing_to_compare_with_is_no_change_at_all() -> None:
    assert wording.change(None) is None


@given(st.decimals(-1000, 1000, places=6))
def test_a_change_and_its_opposite_differ_in_direction_alone(ratio: Decimal) -> None:
    up, down = wording.change(ratio), wording.change(-ratio)

    assert up is not None
    assert down is not None
    assert up.text == down.text
    assert {up.direction, down.direction} in ({"up", "down"}, {"same"})


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        ("15055.47", "408524.83", "3.7_%"),
        ("1", "1000", "0.1_%"),
        ("0.99", "1000", "<0.1_%"),
        ("-0.99", "1000", ">-0.1_%"),
        ("0", "1000", "0.0_%"),
        ("-31", "1000", "-3.1_%"),
        ("1000", "1000", "100.0_%"),
        ("1200", "1000", "120.0_%"),
    ],
)
def test_a_share_is_a_percentage_with_one_decimal(part: str, whole: str, text: str) -> None:
    found = wording.share(Decimal(part), Decimal(whole))

    assert found is not None
    assert plain(found) == text


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (1, Decimal("0.00")), (1, None), (None, 1), (None, None)])
def test_there_is_no_share_of_nothing(part: int | None, whole: Decimal | int | None) -> None:
    assert wording.share(part, whole) is None


def test_things_are_counted_in_words() -> None:
    said = [wording.count(number, "order", "orders") for number in (0, 1, 2, 1438)]

    assert said == ["0 orders", "1 order", "2 orders", "1,438 orders"]
