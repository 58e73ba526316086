"""The revenue page as it must be, put together from the oracle's answers, to be compared with what was read.

One rule: it says what the document of the page promises, word by word; where no document says what something must be,
`Such` says what must hold of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.portal.expected_about import expected_about
from tests.portal.page_numbers import SPARK_LEFT, SPARK_WIDTH
from tests.portal.revenue_numbers import Bar, Box, Chart, Drawn, Filters, Numbers, Ranking, Tile
from tests.portal.revenue_oracle import NUMBERS, TEXTS, Bucket, Oracle, allowed_grains, query
from tests.portal.revenue_words import (
    COMPARISONS,
    PRESETS,
    bucket_mark,
    bucket_name,
    change_percent,
    change_signed,
    change_size,
    direction,
    exact,
    known,
    mark_size,
    plural,
    share,
    short,
    span,
    trail,
)
from tests.portal.such import Such

LABELS = ("Revenue", "Orders", "Customers", "Units", "Average order value")
MONEY = ("Revenue", "Average order value")
RANKED = ("region", "product")
TOPS = (10, 20, 50)
MOST_FOUND = 20


Parts = Mapping[str | None, Any]
"""Revenue by the values of a text."""

NOTHING = Such("that nothing was sold", lambda said: re.fullmatch(r"Nothing was sold here\|\D+", said) is not None)


def expected_page(data: Oracle, address: str) -> Numbers:
    """Everything that the page at an address must say."""
    return _Expected(data, address).numbers()


class _Expected:
    def __init__(self, data: Oracle, address: str) -> None:
        asked = query(address)
        self.data, self.period = data, data.period(address)
        self.grain = asked.get("grain", [self.period.usual_grain])[0]
        self.about = asked.get("about", [""])[0]
        self.top = int(asked.get("top", [str(TOPS[0])])[0])
        self.filtered = data.filters(address)
        both = (self.period.days, self.period.before)
        self.totals, self.earlier = (data.totals(days, self.filtered) for days in both)
        self.buckets, before = (data.buckets(days, self.grain, self.filtered) for days in both)
        # The n-th meets the n-th, whatever their dates; an earlier one too many is not shown.
        revenues = [bucket.values[0] for bucket in before][: len(self.buckets)]
        missing = len(self.buckets) - len(revenues)
        self.before = revenues + [None] * missing
        self.before_cut = [bucket.cut for bucket in before][: len(self.buckets)] + ["missing"] * missing

    def numbers(self) -> Numbers:
        return Numbers(
            filters=self.filters(),
            about=expected_about(self.data, self.period, self.filtered, self.grain, self.about),
            tiles=tuple(self.tile(place) for place in range(len(LABELS)) if self.has(LABELS[place])),
            chart=self.chart(),
            rankings=tuple(self.ranking(name) for name in RANKED if name in self.data.columns),
            foot=self.data.foot,
            strays=(),
        )

    def has(self, label: str) -> bool:
        """Whoever may not see customers may not see how many there are."""
        return label != "Customers" or "customer_id" in self.data.columns

    def filters(self) -> Filters:
        label, grain = self.period.label, self.grain.capitalize()
        known_here = {name: called for name, called in {**TEXTS, **NUMBERS}.items() if name in self.data.columns}
        alone = [name for name in known_here if name in RANKED or name in self.filtered]
        others = tuple(called for name, called in known_here.items() if name not in alone)
        said = [value for name in alone if name in self.filtered for value in self.values(name)]
        against = {"previous-year": ["against the previous year"], "off": ["not compared"]}
        compared = COMPARISONS[self.period.comparison].lower()
        return Filters(
            said=", ".join([label, f"by {self.grain}", *against.get(self.period.comparison, []), *said]),
            buttons=(
                label,
                grain,
                f"Compare|{compared}",
                *(f"{known_here[name]}|{self.chosen(name)}" for name in alone),
                *(["Filter"] if others else []),
            ),
            days=tuple(map(str, self.period.days)),
            offered=(
                tuple(PRESETS.values()),
                tuple(grain.capitalize() for grain in allowed_grains(self.period.days)),
                tuple(COMPARISONS.values()),
                *((f"All {plural(known_here[name].lower())}", *self.offered(name)) for name in alone),
                *([others] if others else []),
            ),
        )

    def values(self, name: str) -> list[str]:
        """What the sentence says of a filter."""
        return self.filtered[name] if name in TEXTS else [f"{name} {self.chosen(name)}"]

    def chosen(self, name: str) -> str:
        """What a button says of its filter."""
        values = self.filtered.get(name, [])
        if name in NUMBERS:
            return " ".join(f"{word} {end}" for word, end in zip(("from", "up to"), values, strict=True) if end)
        return values[0] if len(values) == 1 else f"{len(values)} chosen" if values else "all"

    def offered(self, name: str) -> list[str]:
        """What can be chosen: a few by name, of many the chosen and the largest; of a number both ends."""
        values = self.filtered.get(name, [])
        if name in NUMBERS:
            return [end or "" for end in values]
        every = known(self.data.names(name))
        if len(every) <= MOST_FOUND:
            return sorted(every)
        return [*values, *(value for value in every[:MOST_FOUND] if value not in values)]

    def tile(self, place: int) -> Tile:
        label, value, decimals = LABELS[place], self.totals[place], 0
        percent = change_percent(value, self.earlier[place])
        if label in MONEY:
            label, decimals = f"{label}, {self.data.currency}", 2
        course = [bucket.values[place] for bucket in self.buckets]
        step, pieces = _step(course), (where for where in _pieces(course) if where not in self.firm(course))
        dotted = tuple(pytest.approx(SPARK_LEFT + where * step, abs=0.1) for where in pieces)
        is_off = self.period.comparison == "off"
        note = "" if is_off else self.period.why_not or "Nothing to compare with"
        plain = Tile(label, short(value, decimals), exact(value), "", "", note, _spark(course), dotted)
        if self.data.goes_on(self.period) and not is_off:
            return replace(plain, note=Such("a reason", bool))
        if percent is None:
            return plain
        word, meaning = direction(percent)
        said = f"{word} {change_size(percent)} vs {self.period.versus}".strip()
        return replace(plain, change=said, meaning=meaning, note="")

    def chart(self) -> Chart:
        versus, grain, money = self.period.versus, self.grain, self.data.currency
        title = f"Revenue by {grain}, {money}"
        the = "the " if versus[:1].isdigit() and versus.endswith(" before") else ""
        now, last = [bucket.values[0] for bucket in self.buckets], self.buckets[-1].cut
        if not known(now):
            return Chart(title, span(self.period.days), self.trail(), empty=NOTHING)
        firm = self.firm(now)
        columns = (grain.capitalize(), f"Revenue, {money}", *([versus[0].upper() + versus[1:]] if versus else []))
        shown = list(zip(self.buckets, self.before, strict=True))
        rows = [(self.called(bucket), exact(bucket.values[0]), exact(before)) for bucket, before in shown]
        return Chart(
            title=title,
            sub=span(self.period.days) + (f", against {the}{versus}" if versus else ""),
            trail=self.trail(),
            description=f"{title}; the table below has its numbers.",
            names=self.names(last),
            columns=columns,
            table=tuple(row[: len(columns)] for row in rows),
            boxes=tuple(self.box(*both, cut) for both, cut in zip(shown, self.before_cut, strict=True)),
            box_names=("Revenue", versus, "Change", "Share of the period"),
            now=_drawn(now),
            before=_drawn(self.before),
            firm=firm,
            dotted=tuple(place for place in _pieces(now) if place not in firm),
            marks_of_time=Such("starts of the buckets", self.names_its_buckets),
            marks_of_value=_axis_around([*now, *self.before]),
        )

    def trail(self) -> tuple[str, ...]:
        return () if self.period.label == PRESETS["all"] else tuple(trail(self.period.days))

    def firm(self, values: Sequence[Any]) -> tuple[int, ...]:
        """The pieces of a line between two whole buckets."""
        cut = [bool(bucket.cut) for bucket in self.buckets]
        return tuple(place for place in _pieces(values) if not any(cut[place : place + 2]))

    def names(self, last: str) -> tuple[str, ...]:
        """The names of the lines, by alphabet; one whole line alone needs none."""
        now = [f"This period, {last}" if last else "This period"] if last or self.period.versus else []
        return tuple(sorted([*now, *([self.period.versus] if known(self.before) else [])]))

    def names_its_buckets(self, marks: Sequence[tuple[int, str]]) -> bool:
        return all(text == bucket_mark(self.buckets[place].start, self.grain) for place, text in marks)

    def called(self, bucket: Bucket) -> str:
        name = bucket_name(bucket.start, bucket.ends, self.grain)
        return f"{name}, {bucket.cut}" if bucket.cut else name

    def box(self, bucket: Bucket, before: Any, before_cut: str) -> Box:
        value = bucket.values[0]
        percent = None if bucket.cut or before_cut else change_percent(value, before)
        return Box(
            head=self.called(bucket),
            value=exact(value),
            before="" if before is None else exact(before),
            change="" if percent is None else change_signed(percent),
            share=share(value, self.totals[0]),
            meaning=(direction(percent)[1] if percent is not None else "") or "neutral",
            has_value=value is not None,
        )

    def parts(self, name: str, *, is_before: bool = False) -> list[tuple[str | None, Any]]:
        """Revenue by the values of a text, whatever the filter by it says."""
        days = self.period.before if is_before else self.period.days
        where = {other: chosen for other, chosen in self.filtered.items() if other != name}
        found = self.data.parts(name, days, where)
        return [(value, metrics[0]) for value, metrics in found.items()]

    def ranking(self, name: str) -> Ranking:
        parts, chosen = self.parts(name), self.filtered.get(name, [])
        top = self.top if name == "product" else len(parts)
        shown = [part for place, part in enumerate(parts) if place < top or part[0] in chosen]
        total = sum((value for _, value in parts), Decimal(0))
        title, money = f"Revenue by {name}, {self.data.currency}", f"Revenue, {self.data.currency}"
        marked = sum(part in chosen for part, _ in shown)
        counted = _counted(len(parts), name)
        ranked = f"Top {len(shown)} of {counted}" if len(shown) < len(parts) else counted
        has_tops = name == "product" and len(parts) > TOPS[0]
        sub = f"{marked} of {counted} chosen" if marked else f"{ranked}, sum {exact(total)}"
        if not parts:
            return Ranking(title, sub, empty=NOTHING)
        before, versus = dict(self.parts(name, is_before=True)), self.period.versus
        other = _other(name, parts, shown, total)
        rest = [before[part] for part, value in parts if (part, value) not in shown and part in before]
        table = [
            *(
                (part or f"No {name}", exact(value), share(value, total), exact(before.get(part)))
                for part, value in shown
            ),
            *(
                (row.name, row.value, row.note.removesuffix(" of all"), exact(sum(rest) if rest else None))
                for row in other
            ),
        ]
        columns = (name.capitalize(), money, "Share", *([versus[0].upper() + versus[1:]] if versus else []))
        return Ranking(
            title,
            sub,
            tops=tuple(f"{one}*" if one == top else str(one) for one in TOPS) if has_tops else (),
            bars=(*self.bars(name, shown, total, before), *other),
            columns=columns,
            table=tuple(row[: len(columns)] for row in table),
        )

    def bars(self, name: str, shown: Sequence[tuple[str | None, Any]], total: Decimal, before: Parts) -> list[Bar]:
        chosen = self.filtered.get(name, [])
        some = any(part in chosen for part, _ in shown)
        found = []
        for part, value in shown:
            called = part or f"No {name}"
            old = f", before {exact(before[part])}" if part in before else ""
            title = f"{called}: {exact(value)}, {share(value, total)} of all{old}"
            length = pytest.approx(float(100 * value / shown[0][1]), abs=0.02)
            marks = (part in chosen, some and part not in chosen)
            found.append(Bar(called, exact(value), title, length, *marks, note=""))
        return found


def _other(name: str, parts: Sequence[Any], shown: Sequence[Any], total: Decimal) -> list[Bar]:
    """The row of all that is not shown: a share instead of a bar."""
    if len(parts) == len(shown):
        return []
    called = f"Other, {_counted(len(parts) - len(shown), name)}"
    rest = total - sum(value for _, value in shown)
    return [Bar(called, exact(rest), called, None, False, False, note=f"{share(rest, total)} of all")]


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _drawn(values: Sequence[Any]) -> Drawn:
    return tuple((place, float(value)) for place, value in enumerate(values) if value is not None)


def _pieces(values: Sequence[Any]) -> list[int]:
    """The buckets from which a line goes on to the next one: where both have a value."""
    return [place for place in range(len(values) - 1) if len(known(values[place : place + 2])) == 2]


def _step(values: Sequence[Any]) -> float:
    """From one bucket of the little line to the next."""
    return SPARK_WIDTH / max(len(values) - 1, 1)


def _spark(values: Sequence[Any]) -> Drawn:
    """Every value that is there, from 0 for the lowest to 1 for the highest; one height alone stands in the middle."""
    low, high = min(known(values), default=0), max(known(values), default=0)
    step = _step(values)
    return tuple(
        (
            pytest.approx(SPARK_LEFT + place * step, abs=0.1),
            pytest.approx(float((value - low) / (high - low)) if high > low else 0.5, abs=0.002),
        )
        for place, value in enumerate(values)
        if value is not None
    )


def _axis_around(values: Sequence[Any]) -> Such:
    """An axis whose marks say what they stand for, and that reaches around zero and all of these values."""
    inside = [0.0, *map(float, known(values))]

    def fits(found: Sequence[Any]) -> bool:
        low, high, *marks = found
        said = all(mark_size(text) == pytest.approx(value) for value, text in marks)
        return said and low <= min(inside) <= max(inside) <= high

    return Such("marks that say what they are, around all values", fits)
