"""Settings: where they come from, which goes first, and what is said of each mistake."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lakehouse.errors import SettingsWrong
from lakehouse.settings import Settings, read_settings

SOURCE = """[sources.sales]
path = "data/sales.csv"
key = ["order_id"]
disposition = "merge"

[sources.sales.columns]
order_id = { from = "Invoice", type = "text" }
amount = { type = "decimal(18, 2)" }
"""


def settings(home: Path, text: str = "", **environ: str) -> Settings:
    (home / "lakeport.toml").write_text(text, encoding="utf-8")
    return read_settings(home, environ)


def mistake(home: Path, text: str = "", **environ: str) -> str:
    with pytest.raises(SettingsWrong) as caught:
        settings(home, text, **environ)
    return str(caught.value)


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    found = read_settings(tmp_path, {})

    assert found.lake.timezone == "UTC"
    assert found.state_url == f"sqlite:///{tmp_path}/.lakeport/state.db"
    assert found.warehouse == f"file://{tmp_path}/.lakeport/warehouse"
    assert found.catalog_properties["uri"] == f"sqlite:///{tmp_path}/.lakeport/catalog.db"
    assert found.namespace("dev") == "dev_analytics"


def test_a_variable_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    text = "[query]\nworkers = 3\nthreads = 4\n"

    found = settings(tmp_path, text, LAKEPORT_QUERY__WORKERS="5", LAKEPORT_LAKE__TIMEZONE="Europe/Berlin")

    assert (found.query.workers, found.query.threads, found.query.memory_mb) == (5, 4, 1024)
    assert str(found.zone) == "Europe/Berlin"


def test_a_variable_reaches_into_a_source(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        SOURCE,
        LAKEPORT_SOURCES__SALES__DELIMITER=";",
        LAKEPORT_SOURCES__SALES__KEY='["order_id", "amount"]',
        LAKEPORT_SOURCES__SALES__COLUMNS__ORDER_ID__FROM="Order",
    ).sources["sales"]

    assert (found.delimiter, found.key, found.columns["order_id"].from_) == (";", ("order_id", "amount"), "Order")
    assert found.columns["amount"].type == "decimal(18,2)"


def test_a_section_in_a_variable_is_json_and_its_keys_can_be_set_beside_it(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        LAKEPORT_LAKE__CATALOG__TYPE="sql",
        LAKEPORT_LAKE__CATALOG='{"type": "rest", "uri": "sqlite:///x.db", "s3.region": "eu"}',
    )

    assert found.lake.catalog == {"type": "sql", "uri": "sqlite:///x.db", "s3.region": "eu"}


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sqlite:///elsewhere.db\n", encoding="utf-8")

    assert settings(tmp_path, LAKEPORT_LAKE__STATE_FILE=str(secret)).state_url == "sqlite:///elsewhere.db"


def test_other_variables_of_that_prefix_are_left_alone(tmp_path: Path) -> None:
    environ = {"LAKEPORT_HOME": "/elsewhere", "LAKEPORT_PORT": "tcp://10.0.0.1:80", "OTHER_QUERY__WORKERS": "x"}

    assert settings(tmp_path, **environ).home == tmp_path


@pytest.mark.parametrize(
    ("written", "known"), [("de_DE", "de_DE"), ("de-DE", "de_DE"), ("PT_br", "pt_BR"), ("zh_CN", "zh_Hans_CN")]
)
def test_a_locale_may_be_written_in_several_ways(tmp_path: Path, written: str, known: str) -> None:
    assert settings(tmp_path, f'[lake]\nlocale = "{written}"\n').lake.locale == known


def test_settings_are_frozen(tmp_path: Path) -> None:
    found = settings(tmp_path, SOURCE)

    for section, key in ((found, "lake"), (found.query, "workers"), (found.sources["sales"], "path")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, "other")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[quer]\n",
            "lakeport.toml, line 1: unknown key 'quer'. Did you mean 'query'? Known keys: lake, environments, ",
        ),
        ("\n[query]\nworkrs = 1\n", "lakeport.toml, line 3: unknown key 'query.workrs'. Did you mean 'workers'?"),
        ('home = "x"\n', "lakeport.toml, line 1: unknown key 'home'. Known keys: lake, environments, sources, dbt"),
        ("lake = 3\n", "lakeport.toml, line 1: lake: this is a section; write [lake] with its keys below."),
        ("[lake\n", "lakeport.toml is not valid TOML: "),
        ("[query]\nworkers = 0\n", "lakeport.toml, line 2: query.workers: input should be greater than or equal to 1."),
        ('[query]\nworkers = "many"\n', "lakeport.toml, line 2: query.workers: input should be a valid integer"),
        ('[lake]\ntimezone = "Mars"\n', "lakeport.toml, line 2: lake.timezone: unknown time zone 'Mars'; use a name"),
        (
            '[lake]\nlocale = "no_NO"\n',
            "lakeport.toml, line 2: lake.locale: unknown locale 'no_NO'; did you mean 'nn_NO' or 'nb_NO' or 'en_NO'?",
        ),
        ('[lake]\nlocale = "german"\n', "lakeport.toml, line 2: lake.locale: unknown locale 'german'; use a language"),
        ('[lake]\nlocale = "root"\n', "lakeport.toml, line 2: lake.locale: unknown locale 'root'; use a language"),
        ('[lake]\ncurrency = "Euro"\n', "lakeport.toml, line 2: lake.currency: string should match pattern"),
        ('[lake]\nstate = "here"\n', "lakeport.toml, line 2: lake.state: write a URL such as 'sqlite:////srv"),
        ("[environments.Prod]\n", "lakeport.toml, line 1: environments.Prod: string should match pattern"),
        ('[dbt]\nmemory = "much"\n', "lakeport.toml, line 2: dbt.memory: string should match pattern"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    assert mistake(tmp_path, text).startswith(sentence)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"merge"', '"upsert"', "line 4: sources.sales.disposition: input should be 'append', 'replace' or 'merge'."),
        ('key = ["order_id"]', "", 'line 1: sources.sales: disposition "merge" needs key = ["..."].'),
        (
            '["order_id"]',
            '["id"]',
            "line 1: sources.sales: key names 'id', which is not one of the columns: order_id, ",
        ),
        ("amount =", "_amount =", "line 8: sources.sales.columns._amount: string should match pattern"),
        ("amount =", "line_id =", "line 1: sources.sales: column name 'line_id' is used by Lakeport itself"),
        (
            "decimal(18, 2)",
            "decimal(2,3)",
            "line 8: sources.sales.columns.amount.type: unknown type 'decimal(2,3)'; types: ",
        ),
        ("decimal(18, 2)", "money", "types: text integer decimal(p,s) double date timestamp boolean."),
        ('type = "text"', 'type = "text", format = "%Y"', "format belongs to columns of type date or timestamp."),
        (
            'type = "text"',
            'typ = "text"',
            "unknown key 'sources.sales.columns.order_id.typ'. Did you mean 'type'? Known keys: from, type",
        ),
        ('path = "data/sales.csv"', 'table = "x"', "line 1: sources.sales.path: field required."),
        (
            "path =",
            'encoding = "utf-9"\npath =',
            "line 2: sources.sales.encoding: unknown encoding 'utf-9'; use a name like",
        ),
        (
            "path =",
            'delimiter = ";;"\npath =',
            "line 2: sources.sales.delimiter: string should have at most 1 character.",
        ),
        (
            "path =",
            "max_rejected = 2\npath =",
            "line 2: sources.sales.max_rejected: input should be less than or equal to 1.",
        ),
        (
            "path =",
            'table = "quarantine"\npath =',
            "source 'sales' writes raw.quarantine, which Lakeport itself fills; set table.",
        ),
    ],
)
def test_a_mistake_in_a_source_is_named_with_the_choices(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert sentence in mistake(tmp_path, SOURCE.replace(old, new))


def test_two_sources_of_one_table_are_a_mistake(tmp_path: Path) -> None:
    other = SOURCE.replace("sources.sales", "sources.other").replace("path =", 'table = "sales"\npath =')

    assert "sources 'sales' and 'other' both write raw.sales; give one another table." in mistake(
        tmp_path, SOURCE + other
    )


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = mistake(tmp_path, '[lake]\ncurrency = "x"\n[query]\nworkers = 0\n').splitlines()

    assert [line.split(": ")[1] for line in told] == ["lake.currency", "query.workers"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "LAKEPORT_QURY__WORKERS",
            "3",
            "LAKEPORT_QURY__WORKERS: unknown key 'qury'. Did you mean 'query'? Known keys: ",
        ),
        ("LAKEPORT_HOME__X", "3", "LAKEPORT_HOME__X: unknown key 'home'. Known keys: lake, "),
        ("LAKEPORT_QUERY__WORKRS", "3", "LAKEPORT_QUERY__WORKRS: unknown key 'query.workrs'. Did you mean 'workers'?"),
        ("LAKEPORT_QUERY__WORKERS", "x", "LAKEPORT_QUERY__WORKERS: query.workers: input should be a valid integer"),
        (
            "LAKEPORT_QUERY__WORKERS__X",
            "3",
            "LAKEPORT_QUERY__WORKERS__X: query.workers: input should be a valid integer.",
        ),
        (
            "LAKEPORT_SOURCES__SALES__KEY",
            "a",
            'LAKEPORT_SOURCES__SALES__KEY must be JSON: a list such as ["order_id"].',
        ),
        ("LAKEPORT_SOURCES__SALES__KEY", '{"a": 1}', "LAKEPORT_SOURCES__SALES__KEY must be JSON: a list"),
        (
            "LAKEPORT_SOURCES__SALES__KEY",
            '["x"]',
            "lakeport.toml, line 1 and LAKEPORT_SOURCES__SALES__KEY: sources.sales: key",
        ),
        ("LAKEPORT_LAKE__CATALOG", "x", "LAKEPORT_LAKE__CATALOG must be JSON: an object such as"),
        ("LAKEPORT_SOURCES__NEW__PATH", "x", "LAKEPORT_SOURCES__NEW__PATH: sources.new.columns: field required."),
        (
            "LAKEPORT_LAKE__STATE_FILE",
            "/nowhere/x",
            "LAKEPORT_LAKE__STATE_FILE names a file that cannot be read: No such",
        ),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert mistake(tmp_path, SOURCE, **{name: value}).startswith(sentence)


def test_a_wrong_secret_names_the_variable_of_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff\xfe")
    assert mistake(tmp_path, LAKEPORT_LAKE__STATE_FILE=str(secret)).endswith("names a file that is not UTF-8 text.")

    secret.write_bytes(b"no url")
    assert mistake(tmp_path, LAKEPORT_LAKE__STATE_FILE=str(secret)).startswith(
        "LAKEPORT_LAKE__STATE_FILE: lake.state: "
    )


def test_a_key_that_is_set_twice_is_a_mistake(tmp_path: Path) -> None:
    told = mistake(
        tmp_path, LAKEPORT_LAKE__STATE="sqlite://", LAKEPORT_LAKE__STATE_FILE=str(tmp_path / "lakeport.toml")
    )

    assert told == "LAKEPORT_LAKE__STATE and LAKEPORT_LAKE__STATE_FILE set the same key. Unset one of them."


def test_a_variable_cannot_go_into_a_plain_value_of_the_file(tmp_path: Path) -> None:
    told = mistake(tmp_path, "[query]\nworkers = 3\n", LAKEPORT_QUERY__WORKERS__X="3")

    assert told == "LAKEPORT_QUERY__WORKERS__X goes into 'workers', which is not a section."


def test_a_file_that_is_not_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "lakeport.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsWrong, match=r"lakeport\.toml cannot be read"):
        read_settings(tmp_path, {})


PRODUCTION = "[environments.dev]\n[environments.prod]\n"


@pytest.mark.parametrize(
    ("text", "dev", "prod"),
    [
        ("", "never", "drift"),
        ("[publish.prod]\nmax_rows_lost = 0.5\n", "never", "drift"),
        ('[publish.prod]\nwait = "never"\n', "never", "never"),
        ('[publish.dev]\nwait = "always"\n', "always", "drift"),
    ],
)
def test_runs_wait_in_prod_when_tables_have_drifted_unless_it_is_told_otherwise(
    tmp_path: Path, text: str, dev: str, prod: str
) -> None:
    found = settings(tmp_path, PRODUCTION + text)

    assert (found.publishing("dev").wait, found.publishing("prod").wait) == (dev, prod)


def test_limits_of_an_environment_are_its_own(tmp_path: Path) -> None:
    found = settings(tmp_path, PRODUCTION, LAKEPORT_PUBLISH__PROD__MAX_ROWS_LOST="0.5")

    assert (found.publishing("dev").max_rows_lost, found.publishing("prod").max_rows_lost) == (0.2, 0.5)


def test_an_environment_that_is_not_there_cannot_wait(tmp_path: Path) -> None:
    told = mistake(tmp_path, PRODUCTION + "[publish.production]\n")

    assert "publish.production names no environment; known: dev, prod" in told
