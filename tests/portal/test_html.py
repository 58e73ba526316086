"""The elements that pages are made of, against those of Dash."""

import inspect
from collections.abc import Iterator
from typing import Any

import dash
import pytest
from dash import dcc
from dash.development.base_component import Component

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from portal import html
from portal.html import Element
from portal.page import Visit
from portal.pages import revenue
from portal.plain import plain
from tests.pipelines.lake import Lake

KINDS = [name for name, made in vars(html).items() if name[0].isupper() and inspect.isfunction(made)]


def elements(tree: Any) -> Iterator[Element]:
    """Every element of a tree."""
    if isinstance(tree, list | tuple):
        for one in tree:
            yield from elements(one)
    elif isinstance(tree, Component):
        if isinstance(tree, Element):
            yield tree
        yield from elements(getattr(tree, "children", None))


@pytest.mark.parametrize("kind", KINDS)
def test_an_element_is_what_dash_makes_of_it(kind: str) -> None:
    given: Any = {"id": "one", "className": "lp-card", "aria-label": "Said", "data-lp-keep": "", "title": None}

    made = getattr(html, kind)(["text", dcc.Input(name="field")], **given)

    assert plain(made) == plain(getattr(dash.html, kind)(["text", dcc.Input(name="field")], **given))


def test_dash_finds_the_parts_of_an_element_and_nothing_else() -> None:
    place = html.Div([html.Span("text", id="inside")], id="place")

    assert [one.id for one in place._traverse_ids()] == ["inside"]  # type: ignore[attr-defined]
    assert not hasattr(place, "className")


def test_dash_would_take_every_attribute_of_a_page(sample_lake: Lake) -> None:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        visit = Visit.from_search("/revenue", "?find=a&about=over-time&region=North")
        screen = revenue.layout(lakehouse.as_user(operator()), visit)
        found = list(elements([*screen.content, screen.filters]))

    assert len(found) > 400
    for one in found:
        getattr(dash.html, one.kind)(**one.props)  # raises what names an attribute that there is not
