"""What is written as HTML comes back as the components that it was written from, whatever the texts are."""

import json
from typing import Any

from dash import dcc, html
from hypothesis import given
from hypothesis import strategies as st

from portal.markup import HTML, settled
from portal.plain import plain
from tests.portal.markup import with_content
from tests.portal.visitor import Shown

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12) | st.sampled_from(
    ["<script>alert(1)</script>", "</td>", '" onclick="x', "' x='", "&amp;", "&lt", "<!--", "]]>", "a < b & c"]
)
"""A browser's parser drops NUL and turns CR into LF, as it does with documents."""


def components() -> st.SearchStrategy[Any]:
    """Trees of elements, some of them live."""
    attributes = st.fixed_dictionaries({}, optional={"title": TEXTS, "className": TEXTS, "href": TEXTS})
    leaves = st.builds(lambda text, given: html.A(text, **given), TEXTS, attributes)
    live = st.builds(lambda text: html.Div(text, id="live"), TEXTS) | st.builds(lambda: dcc.Input(name="live"))
    return st.recursive(
        leaves | live,
        lambda inner: st.builds(lambda inside: html.Section(inside), st.lists(inner | TEXTS, min_size=1, max_size=4)),
        max_leaves=12,
    )


def seen(tree: Any) -> list[Any]:
    """What a reader gets: texts in their order, and each element with its attributes."""
    if isinstance(tree, list):
        return [part for one in tree for part in seen(one)]
    if not isinstance(tree, dict):
        return list(str(tree)) if tree is not None else []
    props = {name: value for name, value in tree["props"].items() if name != "children" and value is not None}
    return [(tree["type"], json.dumps(props, sort_keys=True)), *seen(tree["props"].get("children")), tree["type"]]


@given(components())
def test_every_tree_is_the_same_to_its_reader(tree: Any) -> None:
    written = plain(tree)

    assert seen(with_content(settled(written))) == seen(written)


def test_what_has_an_id_and_what_is_more_than_an_element_stays_a_component() -> None:
    tree = html.Div([html.P([html.B("text")]), html.P([html.B("live", id="live")]), html.P([dcc.Input(name="field")])])

    found = settled(plain(tree))["props"]["children"]

    assert [HTML in one["props"] for one in found] == [True, False, False]
    assert [one["props"].get("id") for one in Shown(found).walk()] == [None, None, "live", None, None]


def test_what_a_callback_may_write_is_written_by_nobody_else() -> None:
    place = plain(html.Div([html.P("before")], id="place"))

    assert settled(place) == place


def test_styles_and_flags_are_written_as_html_has_them() -> None:
    style = {"maskImage": "url('x')", "--size": "4"}
    row = html.Tr([html.Td("1", colSpan="2"), html.Td("2", style=style, title=None), html.Td(html.Br(), hidden=True)])

    written = settled(plain(html.Table([row])))["props"][HTML]

    styled = '<td style="mask-image: url(&#x27;x&#x27;); --size: 4">2</td>'
    assert written == f'<tr><td colspan="2">1</td>{styled}<td hidden=""><br></td></tr>'
