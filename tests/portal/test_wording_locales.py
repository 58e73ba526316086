"""How numbers, dates and times are written in locales other than the portal's own.

One rule: babel's own formatting is the judge, asked value by value; the portal asks it only once for a locale.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unicodedata import category

import pytest
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.localedata import locale_identifiers
from babel.numbers import format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.core import Lakehouse
from portal import wording
from portal.app import create_app
from portal.buckets import GRAINS
from portal.formats import BRITISH, Field, Formats, chosen, using, written
from portal.locales import END, TO_THE_LEFT, formats_of
from tests.pipelines.lake import Lake
from tests.portal.visitor import PASSWORD, Visitor

FEW = ("de_DE", "fr_FR", "pl_PL", "ja_JP", "en_US", "hi_IN", "tr_TR", "es_ES", "de_CH", "ar_EG", "sv_SE", "zh_Hant_TW")

NUMBERS = st.one_of(
    st.decimals(-(10**15), 10**15, places=2), st.decimals(-(10**4), 10**4, places=5), st.integers(-(10**25), 10**25)
)
THOUSANDTHS = st.integers(-(10**7), 10**7)
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1))  # noqa: DTZ001  # of no zone
SKELETONS = {
    "day": "yMMMd",
    "day_short": "MMMd",
    "weekday": "yMMMEd",
    "weekday_short": "MMMEd",
    "month": "yMMMM",
    "quarter": "yQQQ",
    "year": "y",
}

# "Y" is the year to which a week belongs; it stands in a month of Scottish Gaelic by mistake.
ODD_YEARS = ("gd", "gd_GB")
# There, midnight is a word of its own, for that minute alone.
ODD_CLOCKS = ("zh_Hant", "zh_Hant_TW")


def bare(text: str) -> str:
    """A text with one kind of space and of minus, and without marks of direction."""
    signs = (" " if sign.isspace() else "-" if sign == "\u2212" else sign for sign in text)
    return "".join(sign for sign in signs if category(sign) != "Cf")


def whole_pattern(name: str) -> str:
    """How a locale groups whole numbers: "#,##0"."""
    pattern: str = Locale.parse(name).decimal_formats[None].pattern
    return pattern.partition(".")[0]


def check_number(name: str, value: Decimal | int) -> None:
    places = max(0, -int(Decimal(value).as_tuple().exponent))
    pattern = f"{whole_pattern(name)}.{'0' * places}".rstrip(".")
    known = format_decimal(Decimal(value), pattern, name, numbering_system="latn")

    assert bare(wording.exact(value)) == bare(known if value else known.replace("-", ""))


def check_share(name: str, thousandths: int) -> None:
    percent = Locale.parse(name).percent_formats[None]  # its own groups may be a slip: "#,#0" in Anii
    pattern = f"{percent.prefix[0]}{whole_pattern(name)}.0{percent.suffix[0]}"
    size = format_percent(Decimal(abs(thousandths)) / 1000, pattern, name, numbering_system="latn")
    sign = "-" if thousandths < 0 else ""  # in front of all of it, also where the per cent sign is

    assert bare(wording.share(thousandths, 1000) or "") == sign + bare(size)


def check_dates(name: str, formats: Formats, moment: datetime) -> None:
    for field, skeleton in SKELETONS.items():
        assert bare(written(getattr(formats, field), moment)) == bare(format_skeleton(skeleton, moment, locale=name))
    if name not in ODD_YEARS:
        assert bare(wording.bucket_short(moment, "month")) == bare(format_skeleton("yMMM", moment, locale=name))
    if name not in ODD_CLOCKS or moment.minute:
        clock = format_time(moment.time(), "short", locale=name)
        assert bare(wording.clock(moment.replace(tzinfo=UTC), UTC)) == bare(clock)
    same_year = [format_date(moment, half, name) for half in Locale.parse(name).interval_formats["yMMMd"]["M"]]
    assert bare(written(formats.days[0], moment) + written(formats.days[1], moment)) == bare("".join(same_year))


@given(name=st.sampled_from(FEW), value=NUMBERS, thousandths=THOUSANDTHS)
def test_numbers_are_grouped_and_signed_as_babel_does(name: str, value: Decimal | int, thousandths: int) -> None:
    with using(formats_of(name)):
        check_number(name, value)
        check_share(name, thousandths)


@given(name=st.sampled_from(FEW), moment=MOMENTS)
def test_dates_and_times_are_those_of_babel(name: str, moment: datetime) -> None:
    formats = formats_of(name)
    with using(formats):
        check_dates(name, formats, moment)


@pytest.mark.slow
def test_every_locale_is_written_as_babel_writes_it() -> None:
    moments = [datetime(2024, 1, 1, hour, 5 * hour % 60) + timedelta(days=15 * hour) for hour in range(24)]  # noqa: DTZ001
    for name in set(locale_identifiers()) - {BRITISH.locale}:
        formats = formats_of(name)
        with using(formats):
            for value in ("0", "0.00", "-1234.50", "999", "1234567.891", "1E+25"):
                check_number(name, Decimal(value))
            for thousandths in (0, -1, 987, 12_345_678):
                check_share(name, thousandths)
            for moment in moments:
                check_dates(name, formats, moment)


def test_the_portals_own_formats_are_british_but_for_a_space_and_a_month() -> None:
    known = formats_of.__wrapped__("en_GB_OXENDICT")

    months = {number: "Sep" if text == "Sept" else text for number, text in short_months(known).items()}
    assert months == short_months(BRITISH)
    assert (known.group, known.decimal, known.sizes, known.percent) == (",", ".", (3, 3), "{}%")
    for field in ("day", "day_short", "weekday", "month", "quarter", "year", "moment", "clock"):
        for month in (1, 5, 12):
            moment = datetime(2026, month, 3, 9, 5, tzinfo=UTC)
            assert written(getattr(known, field), moment) == written(getattr(BRITISH, field), moment)


def short_months(formats: Formats) -> dict[int, str]:
    month = next(part for part in formats.day_short if isinstance(part, Field) and part.letter == "M")
    return dict(month.texts)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("de_DE", ["408,5_k", "−12.345.678,90", "12,5k", "+8,2_%", "1.438 orders", "31. März 2026", "Juli 2011"]),
        ("fr_FR", ["408,5_k", "−12~345~678,90", "12,5k", "+8,2_%", "1~438 orders", "31 mars 2026", "juillet 2011"]),
        ("pl_PL", ["408,5_k", "−12~345~678,90", "12,5k", "+8,2%", "1~438 orders", "31 mar 2026", "lipiec 2011"]),
        ("ja_JP", ["408.5_k", "−12,345,678.90", "12.5k", "+8.2%", "1,438 orders", "2026年3月31日", "2011年7月"]),
        ("hi_IN", ["408.5_k", "−1,23,45,678.90", "12.5k", "+8.2%", "1,438 orders", "31 मार्च 2026", "जुलाई 2011"]),
        ("tr_TR", ["408,5_k", "−12.345.678,90", "12,5k", "+%8,2", "1.438 orders", "31 Mar 2026", "Temmuz 2011"]),
        ("en_US", ["408.5_k", "−12,345,678.90", "12.5k", "+8.2%", "1,438 orders", "Mar 31, 2026", "July 2011"]),
    ],
)
def test_a_page_reads_as_people_there_write(name: str, texts: list[str]) -> None:
    with using(formats_of(name)):
        change = wording.change(Decimal("0.082"))
        said = [
            wording.short(Decimal("408524.83")),
            wording.exact(Decimal("-12345678.90")),
            wording.axis(12_500),
            change.signed if change else "",
            wording.count(1438, "order", "orders"),
            wording.day(date(2026, 3, 31)),
            wording.bucket_text(date(2011, 7, 1), "month"),
        ]

    assert [text.replace("\u2009", "_").replace("\u00a0", "~") for text in said] == texts


@pytest.mark.parametrize("name", FEW)
def test_no_text_has_a_space_that_the_font_lacks(name: str) -> None:
    with using(formats_of(name)):
        texts = [wording.bucket_text(date(2024, 6, 3), grain) for grain in GRAINS]
        texts += [
            wording.exact(Decimal("1234567.8")),
            wording.moment_text(datetime(2024, 6, 3, 14, 5, tzinfo=UTC), UTC),
        ]

    assert [text for text in texts if "\u202f" in text] == []


@pytest.mark.parametrize("name", ["ar_EG", "he_IL", "fa_IR", "ur_PK"])
def test_a_date_that_runs_to_the_left_is_kept_together_and_has_latin_digits(name: str) -> None:
    with using(formats_of(name)):
        texts = [wording.bucket_text(date(2024, 6, 3), grain) for grain in GRAINS]
        number = wording.exact(Decimal("-1234.5"))

    assert [(text[0], text[-1], text.count(TO_THE_LEFT)) for text in texts] == [(TO_THE_LEFT, END, 1)] * len(GRAINS)
    assert all(sign.isascii() for text in (*texts, number) for sign in text if sign.isdigit())
    assert [sign for sign in number if category(sign) == "Cf"] == []


def test_formats_hold_within_their_block_alone() -> None:
    with using(formats_of("de_DE")):
        with using(formats_of("ja_JP")):
            assert chosen().locale == "ja_JP"
        assert chosen().locale == "de_DE"

    assert chosen() is BRITISH


@pytest.fixture(scope="module")
def visitors(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visitor]]:
    """Somebody at each of three portals of one process, which differ in their locale alone."""
    known, copy = sample_lake.settings, tmp_path_factory.mktemp("copy") / "state.db"
    with closing(sqlite3.connect(known.folder / "state.db")) as state:
        state.execute("vacuum into ?", (str(copy),))
    with ExitStack() as opened:
        found = {}
        for name in ("en_GB", "de_DE", "ja_JP"):
            home = tmp_path_factory.mktemp(name)
            lake = f'[lake]\nlocale = "{name}"\nstate = "sqlite:///{copy}"\nwarehouse = "{known.warehouse}"\n'
            (home / "lakeport.toml").write_text(lake, encoding="utf-8")
            lakehouse = opened.enter_context(Lakehouse.open(home))
            if not found:
                lakehouse.users.add("ann", PASSWORD, "viewer")
            found[name] = Visitor(create_app(lakehouse).server)
            assert found[name].log_in("ann").status_code == 302
        yield found


def test_each_lake_of_a_process_has_its_own_formats(visitors: dict[str, Visitor]) -> None:
    for _ in ("drawn", "kept"):
        pages = {name: visitor.page("/revenue?period=all&grain=month") for name, visitor in visitors.items()}

        numbers = {name: page.of_class("lp-value")[0].props["title"] for name, page in pages.items()}
        assert re.fullmatch(r"\d,\d{3},\d{3}\.\d\d", numbers["en_GB"])
        assert numbers["ja_JP"] == numbers["en_GB"]
        assert numbers["de_DE"] == numbers["en_GB"].translate(str.maketrans(",.", ".,"))
        stamps = {name: page.one("lp-stamp").text for name, page in pages.items()}
        assert re.search(r" \d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d ", stamps["en_GB"])
        assert re.search(r" \d{1,2}\. \w+\.? \d{4}, \d\d:\d\d ", stamps["de_DE"])
        assert re.search(r" \d{4}年\d{1,2}月\d{1,2}日 \d{1,2}:\d\d ", stamps["ja_JP"])
        ticks = {name: page.by_id("revenue-over-time").props["figure"]["layout"] for name, page in pages.items()}
        assert [layout["xaxis"]["ticktext"][0] for layout in ticks.values()] == ["Jan 2024", "Jan. 2024", "2024年1月"]
        assert chosen() is BRITISH
