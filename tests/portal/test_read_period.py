"""The period in a page's address: what it says, and what is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import RequestWrong, UnknownName
from portal.periods import DEFAULT, PRESETS, Span, custom, preset, read_period

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
SPANS = st.builds(lambda first, days: Span(first, first + timedelta(days=days)), DAYS, st.integers(0, 3000))
SAMPLE = Span(date(2009, 12, 1), date(2011, 12, 9))


@given(st.sampled_from(list(PRESETS)), SPANS, SPANS)
def test_an_address_names_a_preset_or_its_days(slug: str, chosen: Span, bounds: Span) -> None:
    days = {"from": chosen.first.isoformat(), "to": chosen.last.isoformat()}

    assert read_period({"period": slug}, bounds) == preset(slug, bounds)
    assert read_period(days, bounds) == custom(chosen.first, chosen.last, bounds)


def test_an_address_without_a_period_shows_the_default() -> None:
    assert (
        read_period({}, SAMPLE) == read_period({"period": "", "from": "", "to": ""}, SAMPLE) == preset(DEFAULT, SAMPLE)
    )


def test_an_end_that_is_not_given_is_that_of_the_data() -> None:
    assert read_period({"from": "2011-12-08"}, SAMPLE).span == Span(date(2011, 12, 8), SAMPLE.last)
    assert read_period({"to": "2009-12-02"}, SAMPLE).span == Span(SAMPLE.first, date(2009, 12, 2))


def test_an_open_period_outside_of_the_data_is_the_day_that_was_given() -> None:
    for day in (date(2009, 11, 30), date(2011, 12, 10)):
        key = "from" if day > SAMPLE.last else "to"

        assert read_period({key: day.isoformat()}, SAMPLE).span == Span(day, day)


@pytest.mark.parametrize(
    "text", ["2024-02-30", "20240301", "2024-W09-5", "1.3.2024", "٢٠٢٤-٠٣-٠١", "2024-03-01T00:00", "x"]
)
@pytest.mark.parametrize("key", ["from", "to"])
def test_what_is_no_date_is_refused_with_an_example(key: str, text: str) -> None:
    with pytest.raises(RequestWrong, match="Write it like 2024-03-31") as refused:
        read_period({key: text}, SAMPLE)

    assert str(refused.value).startswith(f"{key!r} is {text!r}, ")


def test_a_long_text_in_the_place_of_a_date_is_shown_in_part() -> None:
    with pytest.raises(RequestWrong) as refused:
        read_period({"from": "9" * 5000}, SAMPLE)

    assert len(str(refused.value)) < 200


def test_a_period_that_is_given_twice_is_refused() -> None:
    for other in ("from", "to"):
        with pytest.raises(RequestWrong, match=r"given twice.*Give one of them"):
            read_period({"period": "all", other: "2011-01-01"}, SAMPLE)


def test_a_range_whose_ends_are_swapped_is_refused_with_both() -> None:
    with pytest.raises(RequestWrong, match="begins on 2011-03-02, after its end on 2011-03-01"):
        read_period({"from": "2011-03-02", "to": "2011-03-01"}, SAMPLE)


def test_an_unknown_period_in_an_address_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="No period named 'yesterday'"):
        read_period({"period": "yesterday"}, SAMPLE)


@given(st.dates(), st.dates())
def test_any_two_dates_of_an_address_are_a_period_or_are_refused_in_words(first: date, last: date) -> None:
    values = {"from": first.isoformat(), "to": last.isoformat()}

    if first <= last <= date(9998, 12, 31):
        assert read_period(values, SAMPLE).span == Span(first, last)
    else:
        with pytest.raises(RequestWrong):
            read_period(values, SAMPLE)
