"""PostgreSQL: connections lent, transactions run, schemas migrated."""

from headwater.kernel.database.bootstrap import ddl_is_watched, ensure_database, ensure_roles, prepare_database
from headwater.kernel.database.connection import CONNECTION_LOST, Connection, Json, connect, connect_session
from headwater.kernel.database.database import Database, Recorder, Transactions, login_of
from headwater.kernel.database.errors import refusal_for
from headwater.kernel.database.idempotency import (
    LIFETIME,
    IdempotentReply,
    Once,
    answer_once,
    kept,
    once,
    remove_expired_replies,
)
from headwater.kernel.database.lease import Connect, Lease
from headwater.kernel.database.logins import Login
from headwater.kernel.database.migrate import Migration, migrate, read_migrations
from headwater.kernel.database.models import SYSTEM_ORIGIN, DatabaseSettings, Origin
from headwater.kernel.database.quoting import literal, quoted
from headwater.kernel.database.transaction import ReadingTransaction, Row, WritingTransaction

__all__ = [
    "CONNECTION_LOST",
    "LIFETIME",
    "SYSTEM_ORIGIN",
    "Connect",
    "Connection",
    "Database",
    "DatabaseSettings",
    "IdempotentReply",
    "Json",
    "Lease",
    "Login",
    "Migration",
    "Once",
    "Origin",
    "ReadingTransaction",
    "Recorder",
    "Row",
    "Transactions",
    "WritingTransaction",
    "answer_once",
    "connect",
    "connect_session",
    "ddl_is_watched",
    "ensure_database",
    "ensure_roles",
    "kept",
    "literal",
    "login_of",
    "migrate",
    "once",
    "prepare_database",
    "quoted",
    "read_migrations",
    "refusal_for",
    "remove_expired_replies",
]
