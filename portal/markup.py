"""The parts of a page that no callback listens to, written as the HTML that they are.

One rule: it changes nothing but the cost. In a browser each of Dash's components takes up to a millisecond to come to
life, and most of a page is text, links and tables, which need none. `assets/content.js` puts the HTML in its place.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

HTML = "data-lp-html"
"""The attribute in which an element brings its content."""

STATIC = "dash_html_components"
VOID = frozenset(("Area", "Base", "Br", "Col", "Embed", "Hr", "Img", "Link", "Meta", "Source", "Track", "Wbr"))
NAMES = {"className": "class", "htmlFor": "for"}
"""Attributes whose names in HTML differ by more than capitals."""
UNWRITTEN = frozenset(("children", "disable_n_clicks", "key", "n_clicks", "n_clicks_timestamp"))
"""Properties that Dash's components have and elements do not."""


def settled(tree: Any) -> Any:
    """A tree of plain components in which each that holds nothing live has its content as HTML; see `portal.plain`."""
    if isinstance(tree, list):
        return [settled(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    props = tree["props"]
    inside = props.get("children")
    # A callback may write the content of what has an id, and would find there what it does not know of.
    is_open = tree["namespace"] == STATIC and props.get("id") is None
    written = markup(inside) if is_open and isinstance(inside, dict | list) else None
    if written is None:
        return {**tree, "props": {**props, **({"children": settled(inside)} if inside is not None else {})}}
    kept = {name: value for name, value in props.items() if name != "children"}
    return {**tree, "props": {**kept, HTML: written}}


def markup(tree: Any) -> str | None:
    """The HTML of plain components; None when one of them is live: it has an id, or is more than an element."""
    if tree is None:
        return ""
    if isinstance(tree, list):
        parts = [markup(one) for one in tree]
        return None if None in parts else "".join(part for part in parts if part)
    if not isinstance(tree, dict):
        return escape(str(tree), quote=False)
    kind, props = tree["type"], tree["props"]
    inside = markup(props.get("children")) if tree["namespace"] == STATIC and props.get("id") is None else None
    if inside is None:
        return None
    tag = kind.lower()
    return f"<{tag}{_attributes(props)}>" + ("" if kind in VOID else f"{inside}</{tag}>")


def _attributes(props: Mapping[str, Any]) -> str:
    written = []
    for name, value in props.items():
        if name in UNWRITTEN or value is None or value is False:
            continue
        text = _style(value) if name == "style" else "" if value is True else str(value)
        written.append(f' {NAMES.get(name) or name.lower()}="{escape(text)}"')
    return "".join(written)


def _style(rules: Mapping[str, Any]) -> str:
    return "; ".join(f"{_hyphened(name)}: {value}" for name, value in rules.items())


def _hyphened(name: str) -> str:
    """`maskImage` is `mask-image`; a variable keeps its name."""
    if name.startswith("--"):
        return name
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
