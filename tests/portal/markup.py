"""Reads HTML that the server has written into a page back into components, as tests look at pages.

One rule: it is a parser of its own kind, so that what is escaped badly shows.
"""

import re
from html.parser import HTMLParser
from typing import Any

HTML = "data-lp-html"
NAMES = {"class": "className", "for": "htmlFor", "tabindex": "tabIndex", "colspan": "colSpan", "rowspan": "rowSpan"}
VOID = ("br", "hr", "img", "wbr", "col")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[list[Any]] = [[]]
        self.open: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        props = {NAMES.get(name, name): _value(name, value) for name, value in attrs}
        component = {"type": tag.capitalize(), "namespace": "dash_html_components", "props": props}
        self.stack[-1].append(component)
        if tag not in VOID:
            self.open.append(component)
            self.stack.append([])

    def handle_endtag(self, tag: str) -> None:
        component = self.open.pop()
        assert component["type"] == tag.capitalize(), (component, tag)
        component["props"]["children"] = _children(self.stack.pop())

    def handle_data(self, data: str) -> None:
        self.stack[-1].append(data)


def _value(name: str, value: str | None) -> Any:
    if name != "style":
        return value if value is not None else True
    rules = (rule.partition(": ") for rule in re.split(r"; (?=[a-z-]+: )", value or ""))
    return {_joined(key): said for key, _, said in rules}


def _joined(key: str) -> str:
    return key if key.startswith("--") else re.sub("-(.)", lambda found: found[1].upper(), key)


def _children(found: list[Any]) -> Any:
    return found[0] if len(found) == 1 else found or None


def read_markup(text: str) -> Any:
    """The components that an HTML text stands for."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [], "an element is not closed"
    return _children(reader.stack[0])


def with_content(tree: Any) -> Any:
    """A tree of components in which what came as HTML is components again."""
    if isinstance(tree, list):
        return [with_content(one) for one in tree]
    if not isinstance(tree, dict) or "props" not in tree:
        return tree
    props = dict(tree["props"])
    if HTML in props:
        props["children"] = read_markup(props.pop(HTML))
    elif "children" in props:
        props["children"] = with_content(props["children"])
    return {**tree, "props": props}
