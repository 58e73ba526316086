"""The tables of the state store. One rule: a change here comes with a migration, and `VERSION` names the newest one.

Times are text in UTC, ISO 8601 with microseconds (`2026-03-31T08:15:00.000000Z`): they sort as text in every database.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION = "0008"

metadata = MetaData()

ACTIVE = ("queued", "running")
WAITING, AWAITING = "waiting", "awaiting_publish"
"""The state of a release that waits for a decision, and that of the run which has built it."""
_active = text("state in ('queued', 'running')")
_current = text("state = 'current'")
_publishing = text("state = 'publishing'")

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("env", String(63), nullable=False),
    Column("job", String(63), nullable=False),
    # queued running awaiting_publish success unchanged failed cancelled lost
    Column("state", String(20), nullable=False),
    Column("starter", String(200), nullable=False),  # who started it, such as operator:ana
    Column("owner", String(200)),  # the process that does it; see lakehouse/runs.py
    Column("started", String(27), nullable=False),
    Column("heartbeat", String(27), nullable=False),
    Column("ended", String(27)),
    Column("inputs", String(64)),  # fingerprint of everything that shapes the result
    Column("release", Integer),
    Column("result", JSON),
    Column("error", Text),
    Column("order", JSON),  # what it was asked to do: its options
    Column("steps", JSON),  # its steps with their times; NULL before the first
    Column("cancelled_by", String(200)),  # who has asked it to end
    Index("runs_one_active", "env", "job", unique=True, sqlite_where=_active, postgresql_where=_active),
    Index("runs_by_start", "env", "started"),
)

definitions = Table(
    "definitions",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the document: most releases share one with the last
    Column("document", JSON, nullable=False),  # metrics, dimensions and the data dictionary
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("env", String(63), nullable=False),
    Column("number", Integer),  # counted per environment; given when the release becomes current
    Column("run", String(64), nullable=False),
    Column("state", String(20), nullable=False),  # waiting publishing current superseded discarded
    Column("created", String(27), nullable=False),
    Column("published", String(27)),
    Column("inputs", String(64)),
    Column("pins", JSON, nullable=False),  # table -> {"metadata", "snapshot"}
    Column("intent", JSON, nullable=False),  # table -> the catalog change that repair can finish
    Column("nodes", JSON, nullable=False),  # model or test -> fingerprint of it and of what it has read
    Column("definitions", String(64), ForeignKey("definitions.id")),
    Column("tests", JSON),  # how each test went; NULL where nobody has written it down
    Column("sizes", JSON),  # table -> rows, bytes and files of its snapshot
    Column("differences", JSON),  # why it waited for a decision: what differed from the release before
    Column("decided_by", String(200)),  # who has published or discarded it
    Column("reason", Text),  # and why
    Index("releases_by_run", "run"),
    UniqueConstraint("env", "number", name="releases_numbered_once"),
    Index("releases_one_current", "env", unique=True, sqlite_where=_current, postgresql_where=_current),
    Index("releases_one_publishing", "env", unique=True, sqlite_where=_publishing, postgresql_where=_publishing),
)

loads = Table(
    "loads",
    metadata,
    Column("id", String(130), primary_key=True),
    Column("env", String(63), nullable=False),
    Column("source", String(63), nullable=False),
    Column("raw_table", String(80), nullable=False),
    Column("run", String(64), nullable=False),
    Column(
        "state", String(20), nullable=False
    ),  # committing committed superseded discarded: one committed load per source and table
    Column("created", String(27), nullable=False),
    Column("config", String(64), nullable=False),  # fingerprint of the source's settings
    Column("files", JSON, nullable=False),  # file -> SHA-256, everything that the table holds after this load
    Column("intent", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Index("loads_by_source", "env", "source", "created"),
)

files = Table(
    "files",
    metadata,
    Column("path", String(4096), primary_key=True),
    Column("signature", String(200), nullable=False),  # size, times and inode for which the hash holds
    Column("sha256", String(64), nullable=False),
)

schedules = Table(
    "schedules",  # what has become of each section [schedules.NAME] of the settings
    metadata,
    Column("name", String(63), primary_key=True),
    Column("due", String(27), nullable=False),  # the newest time that was decided about, or since when it is watched
    Column("why", Text),  # why that time has started nothing; NULL where it has, or where none was due yet
    Column("run", String(64)),  # the run that was started last
    Column("started", String(27)),  # the time for which it was
    Column("paused", String(27)),  # since when it is; NULL: it is not
    Column("paused_by", String(200)),
    Column("reason", Text),  # why it is paused, where somebody has said so
)

users = Table(
    "users",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("password", Text, nullable=False),  # argon2id, with its salt and parameters
    Column("created", String(27), nullable=False),
    Column("changed", String(27), nullable=False),  # when the password was set
    Column("rules", JSON),  # the user's own row rules: [column, operator, [value, ...]], ...
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the token; the token itself is nowhere
    Column("user", String(100), ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created", String(27), nullable=False),
    Column("seen", String(27), nullable=False),
    Column("ended", String(27)),  # logged out, disabled, or a new password; kept so that its token still names somebody
)

attempts = Table(
    "attempts",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256: a password may have been typed as a name
    Column("failures", Integer, nullable=False),
    Column("blocked_until", String(27)),
    Column("last", String(27), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("request", String(64), nullable=False),
    Column("principal", String(200), nullable=False),
    Column("operator", String(200), nullable=False),  # who acted with the principal's rights; empty: the principal
    Column("door", String(20), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(200), nullable=False),
    Column("target", String(200), nullable=False),
    Column("verdict", String(20), nullable=False),  # begun allowed refused failed
    Column("status", Integer, nullable=False),  # as HTTP has it; 0: begun
    Column("env", String(63), nullable=False),
    Column("release", Integer),
    Column("detail", Text, nullable=False),  # JSON as it was hashed
    Column("previous", String(64), nullable=False),  # hash of the record before
    Column("hash", String(64), nullable=False),  # see lakehouse/access/chain.py
    Index("audit_own", "principal", "action", "number"),
)

audit_head = Table(
    "audit_head",  # one row, which every writer of the audit locks
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("first", Integer, nullable=False),  # number of the first record that is kept
    Column("anchor", String(64), nullable=False),  # hash of the record before it
    Column("last", Integer, nullable=False),
    Column("hash", String(64), nullable=False),  # of the last record
    Column("swept", String(10), nullable=False),  # the day on which old records were last removed
)

audit_refusals = Table(
    "audit_refusals",  # refusals without a known user
    metadata,
    Column("minute", String(16), primary_key=True),  # 2026-03-31T08:15, in UTC
    Column("address", String(64), primary_key=True),  # of IPv6 the /64
    Column("kind", String(40), primary_key=True),
    Column("count", Integer, nullable=False),
)


cancels = Table(
    "cancels",  # statements that somebody wants to be stopped, whatever process runs them
    metadata,
    Column("number", Integer, primary_key=True),
    Column("token", String(300), nullable=False),  # their owner's name and what the page calls them
    Column("at", String(27), nullable=False),
)


def now() -> str:
    """The present time as it is stored."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """A time as it is stored; it must carry a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
