"""A portal on the sample lake with a state store of these tests' own, and somebody who has just come."""

from collections.abc import Iterator

import pytest
from flask import Flask

from lakehouse.core import Lakehouse
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.home.home_lake import person, set_aside
from tests.portal.visitor import Visitor


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """The sample lake with a state store of these tests' own."""
    with set_aside(sample_lake, tmp_path_factory.mktemp("home")) as lakehouse:
        yield lakehouse


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture
def ann(lakehouse: Lakehouse, server: Flask) -> Iterator[Visitor]:
    with person(lakehouse, server) as visitor:
        yield visitor
