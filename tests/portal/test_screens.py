"""What is kept of a page that was drawn, asked over HTTP: when it is shown again, and to whom.

One rule: whatever is kept, an answer is the one that a portal which keeps nothing would give.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest
from dash import html
from sqlalchemy import update

from lakehouse.core import Lakehouse, Workspace
from lakehouse.state.schema import releases, runs
from lakehouse.state.store import open_state
from portal.app import create_app
from portal.page import Page, Screen, Visit
from portal.pages import PAGES
from tests.pipelines.lake import Lake
from tests.portal.page_numbers import read
from tests.portal.visitor import PASSWORD, Shown, Visitor

USERS = {"ann": "viewer", "ben": "viewer", "ada": "analyst", "eve": "engineer", "root": "admin"}
ADDRESSES = ("", "?period=all&grain=month", "?period=last-90-days&region=West&product=Mouse&top=20", "?at=1", "?at=2")


class Witnessed:
    """A page that counts how often it was drawn, and for whom; it breaks as often as it is told to."""

    def __init__(self, *, is_kept: bool) -> None:
        self.drawn_for: list[str] = []
        self.breaks = 0
        self.page = Page("/witnessed", "Witnessed", "data", needs="read", layout=self.layout, is_kept=is_kept)

    def layout(self, workspace: Workspace, visit: Visit) -> Screen:
        self.drawn_for.append(workspace.principal.name)
        if self.breaks:
            self.breaks -= 1
            raise KeyError
        said = f"{workspace.release.number}: {', '.join(workspace.tables())} {visit.one('said')} {visit.theme}"
        return Screen([html.P(said, className="said")], html.Div("filters"))


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """The sample lake's tables under a copy of its state, which tests may change and put back."""
    home = tmp_path_factory.mktemp("copy")
    known = sample_lake.settings
    with closing(sqlite3.connect(known.folder / "state.db")) as state:
        state.execute("vacuum into ?", (str(home / "state.db"),))
    (home / "lakeport.toml").write_text(
        f'[lake]\nstate = "sqlite:///{home / "state.db"}"\nwarehouse = "{known.warehouse}"\n'
    )
    with Lakehouse.open(home) as opened:
        for name, role in USERS.items():
            opened.users.add(name, PASSWORD, role)
        yield opened


@pytest.fixture
def witnessed() -> Witnessed:
    return Witnessed(is_kept=True)


def visitors(lakehouse: Lakehouse, *names: str, pages: Sequence[Page] = PAGES) -> list[Visitor]:
    """Some who have logged in to one fresh portal."""
    server = create_app(lakehouse, pages=pages).server
    found = [Visitor(server) for _ in names]
    for name, visitor in zip(names, found, strict=True):
        assert visitor.log_in(name).status_code == 302
    return found


def below_the_header(shown: Shown) -> str:
    """Everything but the header, which holds the release's age and a token of the session."""
    menu, [top, main] = shown.tree
    top["props"]["children"] = [one for one in top["props"]["children"] if one["props"].get("className") != "lp-header"]
    return json.dumps([menu, top, main])


def said(visitor: Visitor, query: str = "") -> str:
    """What the witnessed page says."""
    return visitor.page(f"/witnessed{query}").one("said").text


def change(lakehouse: Lakehouse, table: Any, where: Any, **values: Any) -> None:
    with lakehouse.state.write() as connection:
        assert connection.execute(update(table).where(where).values(**values)).rowcount == 1


@contextmanager
def before_release_2(lakehouse: Lakehouse) -> Iterator[None]:
    """The lake as it was when release 1 was the newest; `publish` brings the second one back."""
    change(lakehouse, releases, releases.c.number == 2, state="publishing", number=None)
    change(lakehouse, releases, releases.c.number == 1, state="current")
    try:
        yield
    finally:
        if lakehouse.as_user(lakehouse.users.list()[0].principal).release.number == 1:
            publish(lakehouse)


def publish(lakehouse: Lakehouse) -> None:
    with lakehouse.state.write() as connection:
        connection.execute(update(releases).where(releases.c.state == "current").values(state="superseded"))
        connection.execute(update(releases).where(releases.c.state == "publishing").values(state="current", number=2))


@contextmanager
def policy(lakehouse: Lakehouse, text: str) -> Iterator[None]:
    """The lake under a policy of its own."""
    file = lakehouse.settings.home / "policy.toml"
    file.write_text(text)
    try:
        yield
    finally:
        file.unlink()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ADDRESSES)
def test_a_kept_page_equals_a_fresh_one(lakehouse: Lakehouse, query: str, theme: str) -> None:
    (first,), (second,) = visitors(lakehouse, "ann"), visitors(lakehouse, "ben")
    for visitor in (first, second):
        visitor.client.set_cookie("lakeport_theme", theme)

    drawn, kept, fresh = (visitor.page(f"/revenue{query}") for visitor in (first, first, second))

    assert len(drawn.of_class("lp-tile")) == 5
    assert below_the_header(drawn) == below_the_header(kept) == below_the_header(fresh)


def test_a_page_is_drawn_once_for_everybody_with_the_same_rights(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    ann, ben = visitors(lakehouse, "ann", "ben", pages=[witnessed.page])

    answers = [said(visitor, "?said=hello") for visitor in (ann, ben, ann)]

    assert len(set(answers)) == 1
    assert witnessed.drawn_for == ["ann"]


def test_a_kept_page_names_its_release(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    [ann] = visitors(lakehouse, "ann", pages=[witnessed.page])

    answers = [ann.show("/witnessed") for _ in range(2)]

    assert [answer.headers["X-Lakeport-Release"] for answer in answers] == ["2", "2"]
    assert len(witnessed.drawn_for) == 1


def test_a_page_that_does_not_ask_for_it_is_drawn_each_time(lakehouse: Lakehouse) -> None:
    witnessed = Witnessed(is_kept=False)
    [ann] = visitors(lakehouse, "ann", pages=[witnessed.page])

    assert said(ann) == said(ann)
    assert len(witnessed.drawn_for) == 2


def test_address_and_theme_have_screens_of_their_own(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    [ann] = visitors(lakehouse, "ann", pages=[witnessed.page])

    answers = [said(ann, query) for query in ("", "?said=one", "?said=two", "?at=1", "?at=2")]
    ann.client.set_cookie("lakeport_theme", "dark")

    assert len({*answers, said(ann)}) == 5  # `at=2` says what the address without it says
    assert len(witnessed.drawn_for) == 6


def test_roles_that_see_different_tables_never_share(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    everybody = visitors(lakehouse, *USERS, pages=[witnessed.page])
    for _ in range(2):
        ann, ben, ada, eve, root = (said(visitor) for visitor in everybody)

        assert ann == ben
        assert "staging." not in ann
        assert "staging.stg_sales" in ada
        assert "raw." not in ada
        assert "raw.sales" in eve
        assert eve == root
    assert sorted(witnessed.drawn_for) == ["ada", "ann", "eve", "root"]


def test_who_may_not_see_the_tables_is_refused_what_was_kept_for_others(lakehouse: Lakehouse) -> None:
    ann, root = visitors(lakehouse, "ann", "root")
    with policy(lakehouse, '[roles.viewer]\ntables = ["staging.*"]'):
        shown = [[visitor.page("/revenue?period=all") for visitor in (root, ann)] for _ in range(2)]

    assert [len(read(allowed).tiles) for allowed, _ in shown] == [5, 5]
    assert all("Revenue cannot be shown" in refused.text and "3,036" not in refused.text for _, refused in shown)


def test_users_of_one_role_with_different_row_rules_never_share(lakehouse: Lakehouse) -> None:
    people = visitors(lakehouse, "ann", "ben")
    with policy(lakehouse, '[users.ben]\nrows = [["region", "=", "North"]]'):
        mixed = [[read(one.page("/revenue?period=all")) for one in (*people, *reversed(people))] for _ in range(2)]
        [alone] = [read(one.page("/revenue?period=all")) for one in visitors(lakehouse, "ben")]

    for ann, ben, ben_again, ann_again in mixed:
        assert (ann, ben) == (ann_again, ben_again)
        assert ann.tiles[0].exact == "3,036,521.03"
        assert ben == alone
        assert [row.name for row in ben.rankings[0].bars] == ["North"]


def test_a_rule_that_is_added_holds_at_once(lakehouse: Lakehouse) -> None:
    [ann] = visitors(lakehouse, "ann")
    before = read(ann.page("/revenue?period=all"))

    with policy(lakehouse, '[roles.viewer]\ntables = ["marts.*"]\nrows = [["region", "=", "West"]]'):
        limited = read(ann.page("/revenue?period=all"))
    after = read(ann.page("/revenue?period=all"))

    assert [row.name for row in limited.rankings[0].bars] == ["West"]
    assert limited.tiles[0].exact == "664,975.76"
    assert before == after != limited


def test_another_role_has_its_own_screens_at_once(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    [ann] = visitors(lakehouse, "ann", pages=[witnessed.page])
    before = said(ann)

    lakehouse.users.set("ann", role="analyst")
    after = said(ann)
    lakehouse.users.set("ann", role="viewer")

    assert "staging." not in before
    assert "staging.stg_sales" in after


def test_the_account_menu_is_each_users_own(lakehouse: Lakehouse) -> None:
    people = visitors(lakehouse, "ann", "ben")

    texts = {}
    for name, visitor in zip(("ann", "ben"), people, strict=True):
        answers = [visitor.show("/revenue?period=all").get_data(as_text=True) for _ in range(2)]
        assert all(f"Account of {name}" in text for text in answers)
        texts[name] = "".join(answers)

    assert "ben" not in texts["ann"]
    assert "ann" not in texts["ben"]
    tokens = [_token(visitor.page("/revenue?period=all")) for visitor in people]
    for visitor, own, other in zip(people, tokens, reversed(tokens), strict=True):
        assert visitor.post("/logout", data={"csrf_token": other}).status_code == 403
        assert visitor.post("/logout", data={"csrf_token": own}).status_code == 302


def _token(shown: Shown) -> str:
    return next(str(one["props"]["value"]) for one in shown.walk() if one["props"].get("name") == "csrf_token")


def test_a_new_release_is_seen_at_once_and_the_past_stays(lakehouse: Lakehouse) -> None:
    [ann] = visitors(lakehouse, "ann")
    with before_release_2(lakehouse):
        before = [ann.page("/revenue?period=all") for _ in range(2)]
        past = ann.page("/revenue?period=all&at=1")

        publish(lakehouse)

        after, past_again = ann.page("/revenue?period=all"), ann.page("/revenue?period=all&at=1")
    assert [read(one).tiles[0].exact for one in before] == ["3,035,021.03"] * 2
    assert read(after).tiles[0].exact == "3,036,521.03"
    assert after.one("lp-stamp").text.startswith("Release 2 ·")
    assert read(past_again) == read(past)
    assert "the newest one" in past.one("lp-asof").text
    assert "before 1 later release" in past_again.one("lp-asof").text
    offered = [text.partition(" ·")[0] for text in past_again.one("lp-header").of_class("lp-pop")[0].links]
    assert offered == ["Now", "Release 2", "Release 1"]


def test_an_error_is_not_kept(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    [ann] = visitors(lakehouse, "ann", pages=[witnessed.page])
    witnessed.breaks = 2

    broken = [ann.page("/witnessed") for _ in range(2)]

    assert all("Witnessed cannot be shown" in shown.one("lp-error").text for shown in broken)
    assert said(ann).startswith("2: ")
    assert len(witnessed.drawn_for) == 3


def test_nothing_is_kept_until_the_run_of_the_release_has_said_how_its_tests_went(lakehouse: Lakehouse) -> None:
    [ann] = visitors(lakehouse, "ann")
    run = _run(lakehouse)
    change(lakehouse, runs, runs.c.id == run["id"], ended=None, result=None)

    early = ann.page("/revenue").one("lp-stamp").text
    change(lakehouse, runs, runs.c.id == run["id"], ended=run["ended"], result=run["result"])
    late = ann.page("/revenue").one("lp-stamp").text

    assert "tests" not in early
    assert late.startswith(early)
    assert late.endswith("tests passed")


def _run(lakehouse: Lakehouse) -> dict[str, Any]:
    with lakehouse.state.read() as connection:
        return dict(connection.execute(runs.select().where(runs.c.release == 2)).one()._mapping)


def test_without_memory_for_answers_no_screen_is_kept(lakehouse: Lakehouse, witnessed: Witnessed) -> None:
    query = lakehouse.settings.query.model_copy(update={"cache_mb": 0})
    settings = lakehouse.settings.model_copy(update={"query": query})
    with Lakehouse(settings, open_state(settings)) as forgetful:
        [ann] = visitors(forgetful, "ann", pages=[witnessed.page])

        assert said(ann) == said(ann)

    assert len(witnessed.drawn_for) == 2
