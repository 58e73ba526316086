"""Links, popovers, filters, cards, tables and states: their words, and what scripts and screen readers need of them."""

import pytest
from dash import html
from dash.development.base_component import Component

from portal.components.card import card, segments
from portal.components.chart import chart
from portal.components.filters import filters, reset, share_button
from portal.components.icon import NAMES, icon
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.components.stamp import stamp
from portal.components.states import TOAST, TOAST_TEXT, empty, error_panel, toast
from portal.components.table import Column, table, table_fold
from portal.figures.time_series import CONFIG, End
from tests.portal.look.drawn import found, nodes, text, tree, types

COLUMNS = [Column("Week from"), Column("Revenue", is_number=True, order="descending"), Column("Lines", True, True)]


def everything() -> list[Component]:
    """One of each component."""
    return [
        popover("Region", [choice("North", "?region=North", True)], label="Region"),
        filters("26 weeks", [popover("Week", [])], [reset(""), reset("?"), share_button()]),
        card("Revenue", "sub", [html.P("body")], "lp-4", [segments("Grain", [("Day", "?", True)])]),
        table_fold("Revenue by week", COLUMNS, [["13 Jun 2011", "1.00", "2"]]),
        chart("graph", {"data": [], "layout": {}}, "Line chart", [End("This period", 0.5, True, "so far")]),
        stamp("Release 17", link("Export", "#")),
        toast(),
        empty("No saved views", "Views that you save appear here.", [("Open Explore", "/explore")]),
        error_panel("Refresh failed", "Correct the source.", "5e2d97b6", [("Show", "?")]),
        *(icon(name) for name in sorted(NAMES)),
    ]


@pytest.mark.parametrize("role", ["group", "region", "img"])
def test_no_part_has_such_a_role_without_a_name(role: str) -> None:
    parts = [node["props"] for shown in everything() for node in nodes(shown) if node["props"].get("role") == role]

    assert parts
    assert [props for props in parts if not props.get("aria-label")] == []


def test_every_button_has_words_or_a_name_and_submits_nothing() -> None:
    pressed = [node for shown in everything() for node in types(shown, "Button")]

    assert pressed
    assert [node for node in pressed if not (text(node) or node["props"].get("aria-label"))] == []
    assert {node["props"]["type"] for node in pressed} == {"button"}


def test_icons_are_never_read_out() -> None:
    shown = [node for one in everything() for node in found(one, "lp-icon")]

    assert {node["props"]["aria-hidden"] for node in shown} == {"true"}


def test_a_link_is_followed_in_place_and_says_where_one_is() -> None:
    shown = tree(link("Revenue", "/revenue", "lp-choice", "page", title="All of it"))["props"]

    assert shown == {
        "children": "Revenue",
        "href": "/revenue",
        "className": "lp-choice",
        "aria-current": "page",
        "title": "All of it",
        "data-lp-link": "",
    }


def test_a_popover_is_a_native_details_with_a_named_panel() -> None:
    shown = popover([html.B("Now")], [choice("Now", "?", True)], label="Version of the data", class_name="lp-past")

    summary, panel = types(shown, "Summary")[0], found(shown, "lp-pop-body")[0]
    assert tree(shown)["type"] == "Details"
    assert text(summary) == "Version of the data: Now"
    assert summary["props"]["className"] == "lp-button lp-past"
    assert panel["props"]["aria-label"] == "Version of the data"
    assert len(found(shown, "is-down")) == 1


def test_a_round_button_has_no_arrow() -> None:
    assert found(popover("AB", [], label="Account", class_name="lp-user", arrow=False), "is-down") == []


@pytest.mark.parametrize("chosen", [True, False])
def test_a_choice_has_a_tick_when_it_is_chosen(chosen: bool) -> None:
    shown = choice("North", "?region=North", chosen, keeps_open=True)

    assert (len(found(shown, "is-check")), tree(shown)["props"].get("aria-current")) == (
        (1, "true") if chosen else (0, None)
    )
    assert tree(shown)["props"]["data-lp-keep"] == ""


def test_filters_say_on_a_phone_what_is_chosen() -> None:
    shown = filters("26 weeks, by week", [popover("Week", [])])

    assert text(found(shown, "lp-filters-said")[0]) == "26 weeks, by week"
    assert types(shown, "Button")[0]["props"]["aria-expanded"] == "false"


def test_nothing_to_reset_is_no_link() -> None:
    idle, ready = tree(reset("")), tree(reset("/revenue"))

    assert (idle["type"], idle["props"]["aria-disabled"]) == ("Span", "true")
    assert (ready["type"], ready["props"]["href"]) == ("A", "/revenue")


def test_every_cell_of_a_table_has_a_header() -> None:
    shown = table("Orders", COLUMNS, [["13 Jun 2011", "1.00", "2"]], ["All", "1.00", "2"], cards=True)

    heads = [(text(node), node["props"]["scope"], node["props"].get("aria-sort")) for node in types(shown, "Th")]
    assert heads == [
        ("Week from", "col", None),
        ("Revenue ", "col", "descending"),
        ("Lines", "col", None),
        ("13 Jun 2011", "row", None),
        ("All", "row", None),
    ]
    assert [node["props"].get("className") for node in types(shown, "Td")] == ["is-num", "is-num is-lesser"] * 2


def test_a_table_can_be_scrolled_by_keyboard_and_has_a_caption() -> None:
    shown = table_fold("Revenue by week", COLUMNS, [["13 Jun 2011", "1.00", "2"]])

    frame = found(shown, "lp-scroll")[0]["props"]
    assert (frame["tabIndex"], frame["role"], frame["aria-label"]) == ("0", "region", "Revenue by week, table")
    assert [text(node) for node in types(shown, "Caption")] == ["Revenue by week"]


def test_a_row_of_the_wrong_length_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="shorter"):
        table("Orders", COLUMNS, [["13 Jun 2011"]])


def test_a_card_has_its_title_as_heading_and_as_name() -> None:
    shown = card("Revenue by week, GBP", "", [html.P("body")], "lp-8")

    assert [text(node) for node in types(shown, "H2")] == ["Revenue by week, GBP"]
    assert tree(shown)["props"]["aria-label"] == "Revenue by week, GBP"
    assert tree(shown)["props"]["className"] == "lp-card lp-8"


def test_the_chosen_segment_is_the_current_one() -> None:
    shown = segments("Grain", [("Day", "?grain=day", False), ("Week", "?", True)])

    assert [(text(node), node["props"].get("aria-current")) for node in types(shown, "A")] == [
        ("Day", None),
        ("Week", "true"),
    ]


def test_a_chart_names_its_lines_at_their_ends_and_above_them() -> None:
    ends = [End("This period", 0.25, True, "so far"), End("26 weeks before", 0.75, False)]

    shown = chart("graph", {"data": [], "layout": {}}, "Line chart: revenue", ends)

    assert [text(node) for node in types(shown, "Li")] == ["This period, so far", "26 weeks before"]
    assert [text(node) for node in found(shown, "lp-direct")] == ["This periodso far", "26 weeksbefore"]
    assert found(shown, "lp-direct")[0]["props"]["style"] == {"--depth": "0.2500"}
    assert types(shown, "Graph")[0]["props"]["config"] == CONFIG
    assert found(shown, "lp-plot")[0]["props"]["aria-label"] == "Line chart: revenue"


def test_the_place_for_messages_is_there_and_empty_from_the_start() -> None:
    shown = toast()

    region = tree(shown)["props"]
    assert (region["id"], region["role"], region["aria-live"]) == (TOAST, "status", "polite")
    assert [node["props"].get("children") for node in nodes(shown) if node["props"].get("id") == TOAST_TEXT] == [None]


def test_an_error_is_announced_with_its_reference() -> None:
    shown = error_panel("Refresh failed", "Correct the source.", "5e2d97b6", [("Show the rows", "?")])

    assert tree(shown)["props"]["role"] == "alert"
    assert text(tree(shown)) == "Refresh failedCorrect the source.Reference 5e2d97b6Show the rows"


def test_a_state_without_links_has_no_row_of_buttons() -> None:
    assert found(empty("No rows", "Rows appear here."), "lp-buttons") == []


def test_the_foot_pushes_its_links_to_the_right() -> None:
    shown = stamp("Release 17", link("Export 586 rows", "#"))

    assert text(found(shown, "lp-push")[0]) == "Export 586 rows"


def test_an_icon_that_is_not_drawn_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="rocket"):
        icon("rocket")
