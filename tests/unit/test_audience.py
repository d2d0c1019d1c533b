"""Who sees what: a connection holds what its audience may see, and no query leads out of it."""

from pathlib import Path

import duckdb
import pytest

from geniac_pipelines import audiences
from geniac_pipelines.audiences import TABLE, UnknownAudience
from geniac_pipelines.figures.audience import open_view
from geniac_pipelines.store import warehouse
from geniac_pipelines.store.warehouse import rows


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.duckdb"
    with warehouse.connect(file) as connection:
        connection.execute(
            """
            create schema marts;
            create schema intermediate;
            create schema ledger;
            create table marts.fct_usage as
                from (values ('aoi-ai', 'h100', 1), ('beni', 'h100', 2), (null, 'a100', 4))
                t(company_id, gpu, hours);
            create table marts.dim_organisations as
                from (values ('aoi-ai', 'あおい'), ('beni', 'べに')) t(organisation_id, name);
            create table marts.both_columns as
                from (values ('aoi-ai', 'beni', 1), ('beni', 'aoi-ai', 2))
                t(organisation_id, company_id, n);
            create table marts.totals as select 7 as hours;
            create table marts."order" as select 'aoi-ai' as company_id, [1, 2] as list;
            create table marts.undeclared as select 'aoi-ai' as company_id;
            create table marts.judged as
                from (values ('aoi-ai', '要指示', '規則', true), ('beni', '要指示', '規則', false),
                    ('chai', '適正', null, null))
                t(company_id, verdict, rule, may_leave);
            create table marts.evidence as
                from (values ('aoi-ai', 1, true), ('beni', 2, false), ('beni', 3, null))
                t(company_id, observed, may_leave);
            create table intermediate.secret as select 'beni' as company_id;
            create table ledger.arrivals as select 'beni' as sender;
            create schema audience;
            create table audience.marts as
                select mart, audience,
                    case mart when 'evidence' then 'may_leave' end as rows_leave
                from unnest(['fct_usage', 'dim_organisations', 'both_columns', 'totals', 'order',
                    'judged', 'evidence', 'not_built']) t(mart),
                    unnest(['meti_nedo', 'company']) a(audience);
            create table audience.columns as
                from (values ('judged', 'verdict', 'may_leave', '確認中'),
                    ('judged', 'rule', 'never', null))
                t(mart, column_name, leaves, otherwise);
            """
        )
    return file


def test_a_company_sees_its_own_rows_alone(published: Path) -> None:
    with open_view(published, "company:aoi-ai") as view:
        assert rows(view, "from fct_usage") == [{"company_id": "aoi-ai", "gpu": "h100", "hours": 1}]
        assert rows(view, "select name from dim_organisations") == [{"name": "あおい"}]
        assert rows(view, 'select list from "order"') == [{"list": [1, 2]}]


def test_the_company_column_decides_where_a_mart_has_both(published: Path) -> None:
    with open_view(published, "company:aoi-ai") as view:
        assert rows(view, "select n from both_columns") == [{"n": 2}]


def test_rows_without_owner_and_marts_without_owner_column_are_no_companys(
    published: Path,
) -> None:
    with open_view(published, "company:aoi-ai") as view:
        assert rows(view, "select count(*) as n from fct_usage where company_id is null") == [
            {"n": 0}
        ]
        with pytest.raises(duckdb.CatalogException):
            view.execute("from totals")


@pytest.mark.parametrize(
    "query",
    [
        "from marts.fct_usage",
        "from warehouse.marts.fct_usage",
        "from intermediate.secret",
        "from ledger.arrivals",
        "attach '{file}' as other (read_only)",
        "attach '{file}' as other; from other.marts.fct_usage",
        "from read_parquet('{folder}/landing.parquet')",
        "from '{folder}/landing.parquet'",
        "from read_text('{folder}/landing.parquet')",
        "from glob('{folder}/*')",
        "copy fct_usage to '{folder}/out.parquet'",
        "copy fct_usage from '{folder}/landing.parquet'",
        "set enable_external_access = true",
        "reset enable_external_access",
        "set lock_configuration = false",
        "install httpfs",
        "load '{folder}/x.duckdb_extension'",
        "export database '{folder}/out'",
        "import database '{folder}/out'",
    ],
)
@pytest.mark.parametrize("audience", ["company:aoi-ai", "meti_nedo"])
def test_no_query_leads_out_of_a_view(published: Path, audience: str, query: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            f"copy (select 'beni' as company_id) to '{published.parent}/landing.parquet'"
        )
    statement = query.format(file=published, folder=published.parent)
    with open_view(published, audience) as view, pytest.raises(duckdb.Error):
        view.execute(statement).fetchall()
    assert not (published.parent / "out.parquet").exists()


def test_nothing_in_a_companys_view_names_another(published: Path) -> None:
    with open_view(published, "company:aoi-ai") as view:
        tables = rows(view, "select table_name as name from information_schema.tables")
        assert {t["name"] for t in tables} == {
            "fct_usage",
            "dim_organisations",
            "both_columns",
            "order",
            "judged",
            "evidence",
        }
        for table in tables:
            for row in rows(view, f'from "{table["name"]}"'):
                owner = row.get("company_id") or row.get("organisation_id")
                assert owner == "aoi-ai"


@pytest.mark.parametrize(
    "name", ["' or true --", "aoi-ai' or company_id = 'beni", "AOI-AI", "aoi", "%"]
)
def test_a_companys_name_is_a_value_and_never_sql(published: Path, name: str) -> None:
    with open_view(published, f"company:{name}") as view:
        assert rows(view, "from fct_usage") == []


@pytest.mark.parametrize("audience", ["meti_nedo", "secretariat"])
def test_the_ministry_and_the_secretariat_see_every_company(published: Path, audience: str) -> None:
    with open_view(published, audience) as view:
        assert rows(view, "select sum(hours) as h from fct_usage") == [{"h": 7}]
        assert rows(view, "from totals") == [{"hours": 7}]


def test_a_mart_that_declares_nothing_is_the_secretariats_alone(published: Path) -> None:
    with open_view(published, "secretariat") as view:
        assert rows(view, "from undeclared") == [{"company_id": "aoi-ai"}]
    for audience in ("meti_nedo", "company:aoi-ai"):
        with open_view(published, audience) as view, pytest.raises(duckdb.CatalogException):
            view.execute("from undeclared")


def test_a_warehouse_without_declarations_shows_nothing_outside(published: Path) -> None:
    with warehouse.connect(published) as connection:
        connection.execute("drop schema audience cascade")
    for audience in ("meti_nedo", "company:aoi-ai"):
        with open_view(published, audience) as view:
            assert rows(view, "select * from information_schema.tables") == []


def test_rows_and_cells_leave_only_where_the_mart_says_so(published: Path) -> None:
    with open_view(published, "meti_nedo") as view:
        found = view.execute("select company_id, verdict, rule from judged order by all").fetchall()
        evidence = view.execute("select company_id, observed from evidence").fetchall()
    # not known to be allowed is not allowed
    assert found == [("aoi-ai", "要指示", None), ("beni", "確認中", None), ("chai", "確認中", None)]
    assert evidence == [("aoi-ai", 1)]
    with open_view(published, "company:beni") as view:
        assert view.execute("select verdict from judged").fetchall() == [("確認中",)]
        assert view.execute("from evidence").fetchall() == []
    with open_view(published, "secretariat") as view:
        kept = view.execute("select verdict, rule from judged where company_id = 'beni'").fetchall()
        assert kept == [("要指示", "規則")]
        assert rows(view, "select count(*) as n from evidence") == [{"n": 3}]


def test_nobody_can_write_to_the_published_file(published: Path) -> None:
    before = published.read_bytes()
    with open_view(published, "secretariat") as view, pytest.raises(duckdb.Error):
        view.execute("insert into marts.totals values (8)")
    with open_view(published, "company:beni") as view:
        view.execute("delete from fct_usage")
    assert published.read_bytes() == before


@pytest.mark.parametrize(
    "audience", ["", "company", "company:", "Company:aoi-ai", "meti_nedo:", "meti_nedo:aoi-ai"]
)
def test_an_audience_that_nobody_defined_is_refused(published: Path, audience: str) -> None:
    with pytest.raises(UnknownAudience, match="known are secretariat"):
        open_view(published, audience).__enter__()


@pytest.mark.parametrize(
    "audience", ["review_office", "committee", "domain_developers", "adoptees", "airoa", "public"]
)
def test_an_audience_without_content_is_known_and_has_no_view(
    published: Path, audience: str
) -> None:
    with pytest.raises(UnknownAudience, match="no mart has content for it yet"):
        open_view(published, audience).__enter__()


def test_the_table_knows_the_nine_audiences_of_the_specification() -> None:
    assert [k.code for k in TABLE] == [
        "secretariat",
        "review_office",
        "committee",
        "meti_nedo",
        "domain_developers",
        "adoptees",
        "company",
        "airoa",
        "public",
    ]
    assert audiences.audience("company:aoi-ai").folder == "company_aoi-ai"
    assert audiences.audience("company:aoi-ai").name == "company:aoi-ai"


def test_a_missing_warehouse_is_an_error(tmp_path: Path) -> None:
    for audience in ("company:aoi-ai", "meti_nedo"):
        with (
            pytest.raises((FileNotFoundError, duckdb.IOException)),
            open_view(tmp_path / "none.duckdb", audience),
        ):
            pass
    assert not (tmp_path / "none.duckdb").exists()
