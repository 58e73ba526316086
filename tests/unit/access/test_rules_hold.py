"""Rules hold: whatever is asked under rights is what a lake answers that has only the rows and columns of those rights.

One rule: plans and rights are random, workers and caches are shared, and people ask at the same time in any order.
"""

import json
import random
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.access.identity import Principal, operator
from lakehouse.access.policy import PolicyFile
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import LakeportError, NotAllowed, PlanWrong, UnknownName
from lakehouse.metrics.compile import compile_plan
from lakehouse.metrics.plan import parse_plan
from tests.pipelines.lake import Lake
from tests.unit.access.restricted import Person, policy, random_people
from tests.unit.metrics.plans import random_plan

VERSIONS = ("now", "1", "2")
AT_ONCE, PLANS = 3, 3
Plan = Mapping[str, Any]


class Both:
    """A lake behind rules, and the rows of all its releases without any."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = copy(lakehouse)
        self.lakehouse.policy = PolicyFile(Path(tempfile.mkdtemp()))
        self.operator = lakehouse.as_user(operator())
        self.tables = {version: self._lines(version) for version in VERSIONS}
        self.rows = {version: table.to_pylist() for version, table in self.tables.items()}
        self._key = (lakehouse.settings.folder / "mask_key").read_text(encoding="utf-8").strip()

    def _lines(self, version: str) -> pa.Table:
        answer = self.operator.at(version).sql("select * from marts.order_lines")
        assert answer.complete
        return answer.table

    def seen_by(self, principal: Principal, version: str) -> Workspace:
        return self.lakehouse.as_user(principal).at(version)

    def found(self, person: Person, plan: Plan, version: str) -> Any:
        """The answer under the rules, or the kind of its error."""
        try:
            return self.seen_by(person.principal, version).measure(plan).answer.table.to_pylist()
        except LakeportError as error:
            return type(error)

    def expected(self, person: Person, plan: Plan, version: str) -> Any:
        """The answer of a lake that holds only what the person may see, or the kinds of error that refuse the plan."""
        if not person.sees_metrics:
            return (NotAllowed,)
        if person.refuses(plan):
            return (UnknownName, PlanWrong)
        model = self.operator.at(version).model
        compiled = compile_plan(parse_plan(plan, model), model)
        lines = pa.Table.from_pylist(person.left(self.rows[version], self._key), schema=self.tables[version].schema)
        with duckdb.connect() as plain:
            plain.execute("create schema marts")
            plain.register("lines", lines)
            plain.execute("create table marts.order_lines as from lines")
            return plain.execute(compiled.sql).to_arrow_table().to_pylist()


@pytest.fixture(scope="module")
def both(sample_lake: Lake) -> Iterator[Both]:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        yield Both(lakehouse)


def holds(both: Both, chance: random.Random) -> None:
    """Random people ask random plans at random versions, each twice, at the same time."""
    rows = both.rows["2"]
    people = random_people(chance, rows)
    both.lakehouse.policy.file.write_text(policy(people), encoding="utf-8")
    asked = [(random_plan(chance, rows), chance.choice(VERSIONS)) for _ in range(PLANS)]
    questions = [(person, *one) for person in people for one in asked] * 2
    chance.shuffle(questions)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda question: both.found(*question), questions))

    for question, answer in zip(questions, found, strict=True):
        expected = both.expected(*question)
        said = policy(people) + json.dumps(question[1:], default=str)
        assert answer in expected if isinstance(expected, tuple) else answer == expected, (question, said)


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(SETTINGS, max_examples=8, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_an_answer_under_rules_is_that_of_a_lake_with_only_the_allowed_rows(both: Both, chance: random.Random) -> None:
    holds(both, chance)


@pytest.mark.slow
@settings(SETTINGS, max_examples=50, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_hundreds_of_answers_under_rules_are_those_of_a_lake_with_only_the_allowed_rows(
    both: Both, chance: random.Random
) -> None:
    holds(both, chance)


@pytest.mark.fuzz
@settings(SETTINGS, max_examples=1_500)
@given(st.randoms(use_true_random=False))
def test_thousands_of_answers_under_rules_are_those_of_a_lake_with_only_the_allowed_rows(
    both: Both, chance: random.Random
) -> None:
    holds(both, chance)
