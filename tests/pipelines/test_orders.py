"""Orders as they are given: what is taken, what is refused at once and with which words, and how they reach a run."""

from contextlib import closing
from typing import Any

import pytest

from lakehouse.errors import NoRelease, RequestWrong, UnknownName
from lakehouse.publish_queue import LONGEST_REASON
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import now, releases
from lakehouse.state.store import State, open_state
from pipelines.context import JOB, Order, checked_order
from pipelines.gate import inputs_fingerprint, unchanged
from pipelines.inputs import parsed_folder
from pipelines.run import ordered, parser
from pipelines.selection import read_selection
from tests.pipelines.lake import Lake, source

MANIFEST = '{"nodes": {"model.own.sums": {"unique_id": "model.own.sums", "resource_type": "model", "name": "sums", '
MANIFEST += '"schema": "marts", "alias": "sums"}, "test.own.t": {"resource_type": "test"}}}'


@pytest.fixture
def built(lake: Lake) -> Lake:
    """A lake whose project dbt has parsed."""
    lake.configure(source())
    folder = parsed_folder(lake.settings, "dev")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(MANIFEST, encoding="utf-8")
    return lake


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], ()),
        (["a"], ("a",)),
        (["+a,b+", "marts.c  a", "b+"], ("+a", "b+", "marts.c", "a")),
        (["+stg_sales+"], ("+stg_sales+",)),
    ],
)
def test_a_selection_is_read_word_by_word(given: list[str], words: tuple[str, ...]) -> None:
    assert read_selection(given) == words


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([""], "The selection names no model."),
        ([" , "], "The selection names no model."),
        (["2+a"], "'2+a' selects nothing."),
        (["--full"], None),
        (["+"], "'+' selects nothing."),
        (["a; drop table b"], "'a;' selects nothing."),
        (["tag:nightly"], "'tag:nightly' selects nothing."),
        ([",".join(f"m{number}" for number in range(201))], "The selection has 201 words; at most 200 are taken."),
    ],
)
def test_what_selects_nothing_is_refused(given: list[str], said: str | None) -> None:
    if said is None:  # a name may hold what an option does: it reaches the run as a value
        assert read_selection(given) == tuple(given)
        return
    with pytest.raises(RequestWrong) as caught:
        read_selection(given)

    assert str(caught.value).startswith(said)


def test_a_model_that_is_not_there_is_refused_at_once_with_the_choices(built: Lake) -> None:
    assert checked_order(built.settings, "dev", JOB, select=["+sums", "marts.sums"]).select == ("+sums", "marts.sums")
    with pytest.raises(UnknownName, match=r"No model named 'summs'\. Known models: sums\.$"):
        checked_order(built.settings, "dev", JOB, select=["summs+"])


def test_a_model_is_refused_only_when_it_is_certain_that_there_is_none(built: Lake) -> None:
    built.make_project()  # what dbt has parsed was another project

    assert checked_order(built.settings, "dev", JOB, select=["brand_new"]).select == ("brand_new",)


@pytest.mark.parametrize(
    ("job", "asked", "said"),
    [
        ("load", {"select": ["sums"]}, "A load builds nothing, so it takes no models."),
        ("build", {"full": True}, "A build loads nothing, so it takes neither a source nor full."),
        ("refresh", {"tests_only": True}, "A refresh does more than testing."),
        ("load", {"tests_only": True}, "A load does more than testing."),
        ("refresh", {"reason": "x" * 501}, "The reason has 501 characters; at most 500 are kept."),
    ],
)
def test_what_a_job_does_not_take_is_refused_in_words(built: Lake, job: str, asked: Any, said: str) -> None:
    with pytest.raises(RequestWrong) as caught:
        checked_order(built.settings, "dev", job, **asked)

    assert str(caught.value).startswith(said)


def test_a_reason_is_one_line_whatever_is_typed(built: Lake) -> None:
    typed = " the new\nprice\tlist\0 \x1b[31m of “March” "

    order = checked_order(built.settings, "dev", JOB, reason=typed)

    assert order.reason == "the new price list [31m of “March”"
    assert checked_order(built.settings, "dev", JOB, reason="x" * LONGEST_REASON).reason == "x" * LONGEST_REASON


def test_an_order_reaches_the_run_as_it_was_given(built: Lake) -> None:
    given = checked_order(
        built.settings, "dev", JOB, source="sales", select=["+sums"], full=True, reason='--full "because" $HOME'
    )

    command = parser().parse_args([given.job, "--env", given.env, *given.options])

    assert ordered(built.settings, command) == given
    assert given.to_json() == {
        "job": "refresh",
        "source": "sales",
        "full": True,
        "select": ["+sums"],
        "reason": '--full "because" $HOME',
    }


@pytest.mark.parametrize("asked", [{"tests_only": True, "load": False}, {"select": ("sums",)}])
def test_what_needs_a_release_is_refused_before_the_first(asked: Any) -> None:
    order = Order("dev", **asked)

    order.check_release(True)
    Order("dev").check_release(False)
    with pytest.raises(NoRelease, match=r"^Nothing has been released in dev yet, so "):
        order.check_release(False)


def ran(state: State, run: str, ending: str, **order: Any) -> None:
    Runs(state).begin(run, "dev", JOB, "test", order)
    Runs(state).end(run, Ending(ending))


def released(state: State, inputs: str | None) -> None:
    row = {"env": "dev", "number": 1, "run": "r1", "state": "current", "created": now(), "published": now()}
    with state.write() as connection:
        connection.execute(releases.insert().values(**row, inputs=inputs, pins={}, intent={}, nodes={}))


def test_tests_alone_neither_settle_nor_unsettle_what_a_run_has_left(built: Lake) -> None:
    settings = built.settings
    with closing(open_state(settings)) as state:
        released(state, inputs_fingerprint(settings, state, "dev"))
        build = Order("dev", load=False)
        ran(state, "r1", "success")
        ran(state, "r2", "failed", tests_only=True)
        settled = unchanged(settings, state, build)
        ran(state, "r3", "failed")
        ran(state, "r4", "success", tests_only=True)

        assert settled is not None
        assert unchanged(settings, state, build) is None
        assert unchanged(settings, state, Order("dev", load=False, tests_only=True)) is None


def test_a_release_that_a_selection_has_made_is_not_taken_for_whole(built: Lake) -> None:
    with closing(open_state(built.settings)) as state:
        released(state, None)
        ran(state, "r1", "success", select=["sums"])

        assert unchanged(built.settings, state, Order("dev", load=False)) is None
