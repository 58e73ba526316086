"""The parts of a page that no callback listens to, written as the HTML that they are.

One rule: it changes nothing but the cost. In a browser each of Dash's components takes up to a millisecond to come to
life, and most of a page is text, links and tables, which need none. `assets/content.js` puts the HTML in its place.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dash.development.base_component import Component

from portal.html import NAMESPACE, Element
from portal.plain import parts, plain

HTML = "data-lp-html"
"""The attribute in which an element brings its content."""

VOID = frozenset(("Area", "Base", "Br", "Col", "Embed", "Hr", "Img", "Link", "Meta", "Source", "Track", "Wbr"))
NAMES = {"className": "class", "htmlFor": "for"}
"""Attributes whose names in HTML differ by more than capitals."""
UNWRITTEN = frozenset(("children", "disable_n_clicks", "key", "n_clicks", "n_clicks_timestamp"))
"""Properties that Dash's components have and elements do not."""
LISTS = (list, tuple)
COMPONENTS = (Element, dict, Component)
"""Elements first, of which there are most."""

_has_signs = re.compile(r"[&<>\"']").search
"""Finds what must be escaped; most texts hold none of it, which is seen faster than five replacements are made."""


def settled(tree: Any) -> Any:
    """A tree of components, plain or not, as plain ones; each that holds nothing live has its content as HTML."""
    if isinstance(tree, LISTS):
        return [settled(one) for one in tree]
    if not isinstance(tree, COMPONENTS):
        return tree
    kind, namespace, props = _parts(tree)
    inside = props.get("children")
    # A callback may write the content of what has an id, and would find there what it does not know of.
    is_open = namespace == NAMESPACE and props.get("id") is None
    written = markup(inside) if is_open and isinstance(inside, (*LISTS, *COMPONENTS)) else None
    others = {name: plain(value) for name, value in props.items() if name != "children"}
    content = {HTML: written} if written is not None else {"children": settled(inside)} if "children" in props else {}
    return {"props": {**others, **content}, "type": kind, "namespace": namespace}


def markup(tree: Any) -> str | None:
    """The HTML of components; None when one of them is live: it has an id, or is more than an element."""
    if isinstance(tree, str):
        return escape(tree, quote=False) if _has_signs(tree) else tree
    if isinstance(tree, LISTS):
        return _joined(tree)
    if not isinstance(tree, COMPONENTS):
        return "" if tree is None else escape(str(tree), quote=False)
    kind, namespace, props = _parts(tree)
    inside = markup(props.get("children")) if namespace == NAMESPACE and props.get("id") is None else None
    if inside is None:
        return None
    tag = kind.lower()
    return f"<{tag}{_attributes(props)}>" + ("" if kind in VOID else f"{inside}</{tag}>")


def _joined(trees: Sequence[Any]) -> str | None:
    written = []
    for tree in trees:
        one = markup(tree)
        if one is None:
            return None  # the others need not be written: whoever asked writes them one by one
        written.append(one)
    return "".join(written)


def _parts(tree: Any) -> tuple[str, str, Mapping[str, Any]]:
    return (tree["type"], tree["namespace"], tree["props"]) if isinstance(tree, dict) else parts(tree)


def _attributes(props: Mapping[str, Any]) -> str:
    written = ""
    for name, value in props.items():
        if value is None or value is False or name in UNWRITTEN:
            continue
        text = value if isinstance(value, str) else _text(name, value)
        written += f' {NAMES.get(name) or name.lower()}="{escape(text) if _has_signs(text) else text}"'
    return written


def _text(name: str, value: Any) -> str:
    if value is True:
        return ""
    return _style(value) if name == "style" else str(value)


def _style(rules: Mapping[str, Any]) -> str:
    return "; ".join(f"{_hyphened(name)}: {value}" for name, value in rules.items())


def _hyphened(name: str) -> str:
    """`maskImage` is `mask-image`; a variable keeps its name."""
    if name.startswith("--"):
        return name
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
