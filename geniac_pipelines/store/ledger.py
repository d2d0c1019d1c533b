"""The ledger: state that transactions guard. SQLite in WAL mode by default, PostgreSQL by URL.

Here: the tables, the connection, the schema version. The few statements that more than one room
needs stand in `arrivals`, `generations`, `decisions`; findings and the outbox keep theirs.
All instants are UTC with zone; SQLite has no zone, so they pass through `Instant`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine

from geniac_pipelines.failpoints import failpoint
from geniac_pipelines.store.lock import Busy

SCHEMA_VERSION = 1
ADVISORY_LOCK = 0x67656E696163
"""Key of the lock on PostgreSQL: "geniac" in ASCII."""


class Instant(sa.TypeDecorator[datetime]):
    """Aware UTC datetime; naive values are refused rather than guessed."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a datetime without zone can't be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)


metadata = sa.MetaData()

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    comment="one row: the mark that ties this ledger to its data folder",
)

schema_versions = sa.Table(
    "schema_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)

arrivals = sa.Table(
    "arrivals",
    metadata,
    sa.Column("arrival_id", sa.String(20), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False, comment="path within the inbox, member after '!'"),
    sa.Column("sender", sa.Text, comment="organisation id; null: unknown"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("zone", sa.Text, nullable=False, comment="IANA zone of its local stamps"),
    sa.Column("registered_at", Instant, nullable=False, comment="by this machine's clock"),
    sa.Column(
        "superseded_by",
        sa.String(20),
        comment="the arrival of the same bytes under a corrected statement; null: this one holds",
    ),
    comment="one row each time that bytes came from somebody",
)

sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("delivery", sa.Text, nullable=False, comment="the manifest's words on it, or ''"),
    sa.Column("arrival_id", sa.String(20), nullable=False, comment="what was last taken from it"),
    comment="files of the inbox that were taken in, so that an unchanged one costs one stat",
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("arrival_id", sa.String(20), sa.ForeignKey(arrivals.c.arrival_id), primary_key=True),
    sa.Column("format", sa.Text, comment="null: no format recognises the bytes"),
    sa.Column("format_version", sa.Integer),
    sa.Column(
        "outcome", sa.Text, nullable=False, comment="landed, partial, refused, unknown, failed"
    ),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("complaints", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, comment="the reader's exception, where the outcome is failed"),
    sa.Column("readers", sa.String(12), comment="digest of the formats that were tried"),
    comment="what reading an arrival gave; the newest reading only",
)

landings = sa.Table(
    "landings",
    metadata,
    sa.Column("arrival_id", sa.String(20), sa.ForeignKey(arrivals.c.arrival_id), primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, nullable=False, comment="Parquet, relative to the data folder"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    comment="which Parquet file holds an arrival's rows of a landing table",
)

landing_days = sa.Table(
    "landing_days",
    metadata,
    sa.Column("arrival_id", sa.String(20), sa.ForeignKey(arrivals.c.arrival_id), primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    comment="days in Asia/Tokyo that an arrival's bulk rows touch",
)

refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("arrival_id", sa.String(20), sa.ForeignKey(arrivals.c.arrival_id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("costs", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text),
    sa.Column("line", sa.BigInteger),
    sa.Column("column", sa.Text),
    sa.Column("cell", sa.Text, comment="as it came; masked in personal files"),
    sa.Column("ja", sa.Text, nullable=False),
    sa.Column("ja_remedy", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("en_remedy", sa.Text, nullable=False),
)

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False, comment="nightly or closing"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False, comment="digest of all that went in"),
    sa.Column("warehouse", sa.Text, nullable=False, comment="path relative to the data folder"),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("committed_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("path", sa.Text, primary_key=True, comment="relative to the data folder"),
    sa.Column(
        "since",
        sa.Integer,
        primary_key=True,
        autoincrement=False,
        comment="first generation it is part of; a file comes back when a correction is undone",
    ),
    sa.Column("table", sa.Text, nullable=False),
    sa.Column("part", sa.Text, nullable=False, comment="company and day or month"),
    sa.Column("inputs", sa.String(64), nullable=False, comment="digest of what it was made from"),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("until", sa.Integer, comment="first generation it is no longer part of"),
    sa.Index("files_current", "table", "until"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("decision", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subject_kind", sa.Text, nullable=False, comment="finding, verdict, report, …"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False, comment="confirm, override, dispute, instruct, …"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False, comment="who decided, by name or role"),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Index("decisions_subject", "subject_kind", "subject"),
    sqlite_autoincrement=True,
    comment="append-only: what people decided, when, why",
)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("episode", sa.Integer, nullable=False, comment="1, one more each time it reopens"),
    sa.Column("state", sa.Text, nullable=False, comment="open, acknowledged, closed, resolved"),
    sa.Column("company_id", sa.Text, comment="whom it is about; null: no single company"),
    sa.Column("month", sa.Date, comment="first day of the month it is about"),
    sa.Column("clause", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="act, watch or note"),
    sa.Column("message_ja", sa.Text, nullable=False),
    sa.Column("message_en", sa.Text, nullable=False),
    sa.Column("proposal_ja", sa.Text, comment="what to do next"),
    sa.Column("relation", sa.Text, nullable=False, comment="mart that holds the evidence"),
    sa.Column("match", sa.JSON, nullable=False, comment="mart column and value of the evidence"),
    sa.Column("arrivals", sa.JSON, nullable=False, comment="what the evidence was made from"),
    sa.Column("first_generation", sa.Integer, nullable=False, comment="first found at all"),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("opened_generation", sa.Integer, nullable=False, comment="this episode's beginning"),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("seen_generation", sa.Integer, nullable=False, comment="last found"),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("stale_generation", sa.Integer, comment="since then not examined with a result"),
    sa.Column("stale_at", Instant),
    sa.Column("ended_generation", sa.Integer, comment="resolved, or closed by a person"),
    sa.Column("ended_at", Instant),
    comment="what somebody must act on; an output of nights, and of acts that decisions record",
)

finding_events = sa.Table(
    "finding_events",
    metadata,
    sa.Column("event", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("episode", sa.Integer, nullable=False),
    sa.Column("what", sa.Text, nullable=False, comment="opened, changed, resolved, …"),
    sa.Column(
        "generation", sa.Integer, nullable=False, comment="the night's, or what the person saw"
    ),
    sa.Column("at", Instant, nullable=False),
    sa.Column("person", sa.Text, nullable=False, comment="a name, or machine"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decision", sa.Integer, sa.ForeignKey(decisions.c.decision)),
    sa.Index("finding_events_finding", "rule", "subject"),
    sa.Index("finding_events_generation", "generation"),
    sqlite_autoincrement=True,
    comment="append-only: every change of a finding",
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True, comment="digest of what makes it one"),
    sa.Column("kind", sa.Text, nullable=False, comment="digest, reminder, correction, …"),
    sa.Column("created_generation", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("channel", sa.Text, nullable=False, comment="mail or webhook"),
    sa.Column("recipient", sa.Text, comment="address; null: not yet known, a draft only"),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column(
        "state", sa.Text, nullable=False, comment="draft, withdrawn, pending, sent or failed"
    ),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", Instant, comment="null: at once"),
    sa.Column("claimed_by", sa.Text, comment="the drain that has it in hand"),
    sa.Column("claimed_until", Instant, comment="afterwards another drain may take it"),
    sa.Column("sent_at", Instant),
    sa.Column("sent_by", sa.Text, comment="mail, webhook, or eml: written to a folder"),
    sa.Column("last_error", sa.Text),
    sa.Index("messages_state", "state"),
    comment="the outbox: written in the night's commit, sent afterwards, at least once",
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("key", sa.String(32), sa.ForeignKey(messages.c.key), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    comment="what goes with a message of the outbox: the very bytes that a person releases",
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("report", sa.Text, primary_key=True, comment="document, month and audience"),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.Text, nullable=False, comment="draft or issued"),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False, comment="relative to the data folder"),
)

figures = sa.Table(
    "figures",
    metadata,
    sa.Column("report", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("figure", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("value", sa.Text, comment="exact decimal; null: missing"),
    sa.Column("unit", sa.Text),
    sa.Column("decimals", sa.Integer, nullable=False),
    sa.Column("clause", sa.Text, nullable=False),
    sa.Column("origin", sa.JSON, nullable=False),
    comment="every number that a report printed",
)

secret_keys = sa.Table(
    "secret_keys",
    metadata,
    sa.Column("check_value", sa.String(16), primary_key=True, comment="tells keys apart, no more"),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant, comment="when another key took its place; null: in use"),
    comment="which secret key this ledger's pseudonyms and sealed originals were made with",
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("pseudonym", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False, comment="user, person, …"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="the identifier, AES-256-GCM"),
    sa.Column("purpose", sa.Text, nullable=False, comment="why the newest file was collected"),
    sa.Column("first_arrival", sa.String(20), nullable=False),
    sa.Column("delete_on", sa.Date, nullable=False, comment="last day on which it is kept"),
    comment="the vault: the only way from a pseudonym to a person; never copied anywhere",
)

personal_objects = sa.Table(
    "personal_objects",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("format", sa.Text, comment="null: no format recognises the bytes"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False, comment="newest receipt of the bytes"),
    sa.Column("delete_on", sa.Date, nullable=False, comment="last day on which it is kept"),
    sa.Column("erased_at", Instant, comment="null: the archive holds the bytes"),
    sa.Column("erased_why", sa.Text),
    sa.Index("personal_objects_due", "delete_on"),
    comment="originals that hold, or may hold, what is said of people; archived encrypted",
)


def _append_only(table: sa.Table) -> None:
    """Let the database itself refuse to change or remove rows of `table`."""
    words = f"{table.name} is append-only"
    for event in ("update", "delete"):
        _after_create(
            table,
            "sqlite",
            f"create trigger {table.name}_no_{event} before {event} on {table.name} "
            f"begin select raise(abort, '{words}'); end",
        )
    _after_create(
        table,
        "postgresql",
        f"create function {table.name}_stay() returns trigger language plpgsql as "
        f"$$ begin raise exception '{words}' using errcode = 'integrity_constraint_violation'; "
        "end $$",
        f"create trigger {table.name}_stay before update or delete or truncate on {table.name} "
        f"for each statement execute function {table.name}_stay()",
    )


def _after_create(table: sa.Table, dialect: str, *statements: str) -> None:
    def execute(_: sa.Table, connection: Connection, **__: Any) -> None:
        if connection.dialect.name == dialect:
            for statement in statements:
                connection.exec_driver_sql(statement)

    sa.event.listen(table, "after_create", execute)


for _table in (decisions, finding_events):
    _append_only(_table)


class LedgerMismatch(Exception):
    """The ledger on disk is of another schema version than this code."""


class Ledger:
    """A connection pool to the ledger. Cheap to make; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        if self.url.get_backend_name() == "sqlite" and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        if self.url.get_backend_name() == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg2")
        self.engine: Engine = sa.create_engine(self.url)
        if self.url.get_backend_name() == "sqlite":
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def name(self) -> str:
        """Its URL without the password, for messages."""
        return self.url.render_as_string(hide_password=True)

    def prepare(self) -> None:
        """Create what is missing; raise LedgerMismatch on another schema version."""
        with self.engine.begin() as connection:
            metadata.create_all(connection)
            versions = connection.execute(sa.select(schema_versions.c.version)).scalars().all()
            if not versions:
                connection.execute(sa.insert(schema_versions).values(version=SCHEMA_VERSION))
            elif max(versions) != SCHEMA_VERSION:
                raise LedgerMismatch(
                    "台帳の版がこのプログラムと合いません。docs/operations.md の "
                    "“A ledger does not match” を見てください / "
                    f"{self.name} has schema version {max(versions)}, this "
                    f"program needs {SCHEMA_VERSION}; see docs/operations.md on migrations"
                )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing."""
        with self.engine.begin() as connection:
            yield connection
            failpoint("ledger-before-commit")
        failpoint("ledger-after-commit")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view for reading: all statements inside see the same state."""
        with self.engine.connect() as connection:
            if self.url.get_backend_name() == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            connection.execution_options(geniac_reading=True)
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Be the only one that works on this ledger; raises `Busy` at once if somebody else does.

        For PostgreSQL, which several machines may reach: an advisory lock of a session, freed by
        its end. SQLite lies in the data folder, whose lock says it all.
        """
        if self.url.get_backend_name() != "postgresql":
            yield
            return
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            took = sa.func.pg_try_advisory_lock(ADVISORY_LOCK)
            if not connection.execute(sa.select(took)).scalar_one():
                raise Busy(f"the ledger {self.name} is in use by another run")
            try:
                yield
            finally:
                # a pooled connection would keep the lock
                connection.invalidate()


def _begin_sqlite(connection: Connection) -> None:
    # the driver would delay BEGIN until the first write, and two writers would then meet too late
    reading = connection.get_execution_options().get("geniac_reading")
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def upsert(table: sa.Table, connection: Connection) -> Any:
    """The dialect's INSERT with ON CONFLICT, which SQLite and PostgreSQL spell alike."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert  # noqa: PLC0415

        return pg_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415

    return sqlite_insert(table)
