"""The verbs of rows over HTTP."""

from dataclasses import dataclass, field

import asyncpg

from headwater.kernel.catalog import Catalog, Relation
from headwater.kernel.database import ReadingTransaction, Row, Transactions
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.principal import ANON_ROLE, Principal
from headwater.platform.records import rules
from headwater.platform.records.errors import NotImplementedHere, refused
from headwater.platform.records.models import (
    Outcome,
    Parameter,
    Prepared,
    RecordsSettings,
    Shape,
    Statement,
    Window,
)
from headwater.platform.records.parse import parse
from headwater.platform.records.plan import choose_schema, find_relation, plan
from headwater.platform.records.shape import (
    NOTHING,
    Body,
    KnownShapes,
    must_be_json,
    narrowed,
    read_body,
    split_schema,
    take_apart,
)
from headwater.platform.records.sql import write_statement

PLATFORM_MOUNT = "/api/database/records"
"""Here the two habits of contracts/postgrest.md section 0 hold; everywhere else the dialect is exact."""
_READING = frozenset({"GET", "HEAD"})
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_ATTEMPTS = 3
_TO_BE_RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


@dataclass(frozen=True)
class Records:
    """Reads and changes the rows that row-level security lets the caller see and change."""

    catalog: Catalog
    settings: RecordsSettings
    known: KnownShapes[Prepared] = field(default_factory=KnownShapes[Prepared], init=False)

    async def read_rows(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell the rows that the query asks for, or with HEAD only how many they are."""
        prepared, arguments, window = self._prepare(request)
        outcome = await self._run(transactions, principal, prepared, arguments)
        return rules.reply_to_read(prepared, outcome, window)

    async def write_rows(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Insert, update, replace or remove rows, all or none, and tell what was asked of them."""
        prepared, arguments, _ = self._prepare(request)
        outcome = await self._run(transactions, principal, prepared, arguments)
        reply = rules.reply_to_write(prepared, outcome)
        return rules.without_silence(reply) if _is_lenient(request) else reply

    async def describe_relation(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell which methods the relation allows."""
        snapshot = self.catalog.current
        profile, _ = _profile_and_query(request)
        relation = find_relation(snapshot, choose_schema(snapshot, profile), request.parameters["table"])
        return Reply(headers=(("Allow", rules.allowed_methods(relation)),), media_type=None)

    async def call_function(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Call a function. Raises `NotImplementedHere`: this version has tables only."""
        raise NotImplementedHere(
            details="calling functions is not implemented yet", hint=request.parameters["function"]
        )

    def _prepare(self, request: RawRequest) -> tuple[Prepared, list[object], Window]:
        """The statement for a request, its arguments after the claims, and its window; planned only for a new shape."""
        snapshot = self.catalog.current
        headers = request.headers
        profile, query = _profile_and_query(request)
        schema = choose_schema(snapshot, profile)
        parameters, values, window = take_apart(query)
        body = NOTHING
        if request.method in _WITH_BODY:
            body = _body(request, parameters, snapshot.relations.get((schema, request.parameters["table"])))
        elif request.method in _READING:
            served = headers.get("range") if request.method == "GET" else None
            window = narrowed(window, served, self.settings.max_rows)
        shape = Shape(
            request.method,
            schema,
            request.parameters["table"],
            headers.get("accept", ""),
            headers.get("prefer", ""),
            parameters,
            window.limit is not None,
            window.offset > 0,
            body.columns,
            body.is_array,
            profile is not None,
        )
        prepared = self.known.find(snapshot.version, shape)
        if prepared is None:
            planned = plan(parse(shape), snapshot)
            prepared = Prepared(statement=write_statement(planned), headers=rules.fixed_headers(planned))
            self.known.keep(snapshot.version, shape, prepared, self.settings.shapes)
        return prepared, _arguments(prepared.statement, values, window, body), window

    async def _run(
        self, transactions: Transactions, principal: Principal, prepared: Prepared, arguments: list[object]
    ) -> Outcome:
        """Run the statement under the principal's role and claims; after a deadlock, again."""
        statement = prepared.statement
        if statement.idle:
            return rules.outcome_of_nothing(statement.plan)
        anonymous = principal.role == ANON_ROLE
        attempts = 0
        while True:
            attempts += 1
            try:
                return _outcome(await _row(transactions, principal, statement, arguments))
            except asyncpg.PostgresError as failure:
                if attempts < _ATTEMPTS and isinstance(failure, _TO_BE_RETRIED):
                    continue
                raise rules.undone(statement.plan, str(failure)) or refused(failure, anonymous=anonymous) from failure


def _is_lenient(request: RawRequest) -> bool:
    return request.path.startswith(PLATFORM_MOUNT)


def _profile_and_query(request: RawRequest) -> tuple[str | None, str]:
    """The schema the client names, if any, and the query string without it."""
    header = "accept-profile" if request.method in _READING or request.method == "OPTIONS" else "content-profile"
    profile = request.headers.get(header)
    return split_schema(request.query, profile) if _is_lenient(request) else (profile, request.query)


def _body(request: RawRequest, parameters: tuple[Parameter, ...], relation: Relation | None) -> Body:
    must_be_json(request.headers.get("content-type", ""))
    columns_given = any(key == "columns" for key, _, _ in parameters)
    return read_body(request.body, relation if _is_lenient(request) else None, columns_given=columns_given)


def _arguments(statement: Statement, values: list[str], window: Window, body: Body) -> list[object]:
    """The parameters after the claims, in the statement's order."""
    arguments: list[object] = []
    if statement.plan.source.limited:
        arguments.append(window.limit)
    if statement.plan.source.shifted:
        arguments.append(window.offset)
    if statement.takes_body:
        arguments.append(body.text)
    if statement.wildcards:
        arguments += [values[s].replace("*", "%") if s in statement.wildcards else values[s] for s in statement.slots]
    else:
        arguments += [values[slot] for slot in statement.slots]
    return arguments


async def _row(
    transactions: Transactions, principal: Principal, statement: Statement, arguments: list[object]
) -> Row | None:
    """The statement's row: in one trip, or in a transaction where the claims must be there before it begins."""
    claims = principal.claims_json
    if not statement.plan.claims_first:
        return await transactions.statement(principal, statement.sql, claims, *arguments)

    async def work(tx: ReadingTransaction) -> Row | None:
        return await tx.row(statement.sql, claims, *arguments)

    if statement.plan.writing is None:
        return await transactions.reading(work, principal)
    return await transactions.writing(work, principal)


def _outcome(row: Row | None) -> Outcome:
    """The one row that every statement gives."""
    if row is None:
        return Outcome()
    body, page, total, inserted, place = row
    return Outcome(body=body or b"", page=page, total=total, inserted=inserted, place=place)
