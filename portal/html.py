"""The elements of HTML under the names that Dash's `html` has for them, made without its checks.

One rule: it changes nothing but the cost. A page has about a thousand elements, and Dash looks at every property of
every one, which takes longer than to compute what they show; a test looks at them instead.
"""

from collections.abc import Callable
from typing import Any

from dash.development.base_component import Component

NAMESPACE = "dash_html_components"


class Element(Component):
    """One element; `props` holds its children and its attributes, as Dash's own would."""

    def __init__(self, kind: str, props: dict[str, Any]) -> None:
        self.kind, self.props = kind, props

    def __getattr__(self, name: str) -> Any:
        """A property, as Dash asks for it."""
        if name == "props" or name not in self.props:
            raise AttributeError(name)
        return self.props[name]

    def __repr__(self) -> str:
        return f"{self.kind}({self.props})"

    def to_plotly_json(self) -> dict[str, Any]:
        """What a browser gets, if its children are written as well."""
        return {"props": self.props, "type": self.kind, "namespace": NAMESPACE}


def _element(kind: str) -> Callable[..., Component]:
    def make(children: Any = None, **props: Any) -> Component:
        return Element(kind, {"children": children, **props})

    return make


A = _element("A")
Aside = _element("Aside")
B = _element("B")
Button = _element("Button")
Caption = _element("Caption")
Code = _element("Code")
Dd = _element("Dd")
Details = _element("Details")
Div = _element("Div")
Dl = _element("Dl")
Dt = _element("Dt")
Footer = _element("Footer")
Form = _element("Form")
H1 = _element("H1")
H2 = _element("H2")
H3 = _element("H3")
Header = _element("Header")
Kbd = _element("Kbd")
Label = _element("Label")
Li = _element("Li")
Main = _element("Main")
Mark = _element("Mark")
Nav = _element("Nav")
Ol = _element("Ol")
Option = _element("Option")
P = _element("P")
Pre = _element("Pre")
Section = _element("Section")
Select = _element("Select")
Span = _element("Span")
Strong = _element("Strong")
Summary = _element("Summary")
Table = _element("Table")
Tbody = _element("Tbody")
Td = _element("Td")
Textarea = _element("Textarea")
Tfoot = _element("Tfoot")
Th = _element("Th")
Thead = _element("Thead")
Time = _element("Time")
Tr = _element("Tr")
Ul = _element("Ul")
