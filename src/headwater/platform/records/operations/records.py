"""The verbs of rows over HTTP."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from headwater.kernel.catalog import Catalog, Relation, Snapshot
from headwater.kernel.database import Transactions
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.principal import Principal
from headwater.platform.records import rules
from headwater.platform.records.errors import RecordsRefusal, UnknownColumn, UnknownFunction
from headwater.platform.records.models import (
    Asked,
    CallShape,
    Embed,
    Parameter,
    Plan,
    Prepared,
    RecordsSettings,
    Shape,
)
from headwater.platform.records.operations.asking import (
    Ready,
    context_of,
    forms_of,
    frame_of,
    is_lenient,
    make_ready,
    rolls_back,
    schema_and_query,
    tells_context,
    with_query_of_body,
    without_count_of_stream,
    without_refused_end,
)
from headwater.platform.records.operations.nested import located, run_nested
from headwater.platform.records.operations.running import explain, open_stream, run
from headwater.platform.records.parse import NESTED, Forms, array_literal, parse, parse_names, parse_nested
from headwater.platform.records.plan import KnownRelationships, find_functions, find_relation, plan, plan_call
from headwater.platform.records.shape import (
    JSON,
    NO_BODY,
    NOTHING,
    OFF_THE_LOOP,
    Body,
    CallBody,
    KnownShapes,
    kind_of_body,
    narrowed,
    read_body,
    read_call_body,
    read_nested_body,
    split_arguments,
    take_apart,
)
from headwater.platform.records.sql import write_statement

_READING = frozenset({"GET", "HEAD", "QUERY"})
_PAGED = frozenset({"GET", "QUERY"})
"""Methods for which the `Range` header counts."""
_LONGEST_KEPT = 64 * 1024
"""Characters of SQL; a longer statement is not kept: a query in a body may be as long as it likes."""
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})


@dataclass(frozen=True)
class Records:
    """Reads and changes the rows that row-level security lets the caller see and change, and calls functions."""

    catalog: Catalog
    settings: RecordsSettings
    known: KnownShapes[Prepared] = field(default_factory=KnownShapes[Prepared], init=False)
    relationships: KnownRelationships = field(default_factory=KnownRelationships, init=False)

    async def read_rows(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell the rows that the query asks for, or with HEAD only how many they are."""
        try:
            if len(request.query) > OFF_THE_LOOP:
                ready = await asyncio.to_thread(self.prepare, request)
            else:
                ready = self.prepare(request)
            plan = ready.prepared.statement.plan
            if plan.media.explained is not None:
                return rules.reply_with_plan(plan, await explain(transactions, principal, ready))
            if ready.prepared.statement.streams:
                first, stream = await open_stream(transactions, principal, ready)
                return rules.reply_with_stream(ready.prepared, first, stream)
            outcome = await run(transactions, principal, ready)
            reply = rules.reply_to_read(ready.prepared, outcome, ready.window)
        except RecordsRefusal as refusal:
            raise self._told(refusal) from refusal.__cause__
        return self._located(request, reply)

    async def query_rows(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell the rows that the query in the body asks for, which may be longer than an address."""
        with self.telling():
            asked = with_query_of_body(request)
        return await self.read_rows(transactions, principal, asked)

    async def query_function(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Call a function that changes nothing with the arguments and filters in the body."""
        with self.telling():
            asked = with_query_of_body(request)
        return await self.call_function(transactions, principal, asked)

    async def write_rows(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Insert, update, replace or remove rows, all or none, and tell what was asked of them."""
        try:
            if len(request.body) > OFF_THE_LOOP and _is_taken_apart(request):
                ready = await asyncio.to_thread(self.prepare, request)
            else:
                ready = self.prepare(request)
            if ready.prepared.statement.plan.media.explained is not None:
                plan = ready.prepared.statement.plan
                return rules.reply_with_plan(plan, await explain(transactions, principal, ready))
            change = run_nested if ready.levels else run
            reply = rules.reply_to_write(ready.prepared, await change(transactions, principal, ready))
        except RecordsRefusal as refusal:
            raise self._told(refusal) from refusal.__cause__
        return rules.without_silence(reply) if is_lenient(request) else reply

    async def call_function(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Call a function with the arguments in the query or the body, and tell what it gives."""
        try:
            if len(request.query) > OFF_THE_LOOP:
                ready = await asyncio.to_thread(self.prepare_call, request)
            else:
                ready = self.prepare_call(request)
            plan = ready.prepared.statement.plan
            if plan.media.explained is not None:
                return rules.reply_with_plan(plan, await explain(transactions, principal, ready))
            outcome = await run(transactions, principal, ready)
            return rules.reply_to_call(ready.prepared, outcome, ready.window)
        except RecordsRefusal as refusal:
            raise self._told(refusal) from refusal.__cause__

    async def describe_relation(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell which methods the relation allows."""
        with self.telling():
            schema, _, _ = schema_and_query(request, self.catalog.current)
            relation = find_relation(self.catalog.current, schema, request.parameters["table"])
        return Reply(headers=(("Allow", rules.allowed_methods(relation)),), media_type=None)

    async def describe_function(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell which methods the function allows: GET where it changes nothing."""
        with self.telling():
            schema, _, _ = schema_and_query(request, self.catalog.current)
            name = request.parameters["function"]
            functions = find_functions(self.catalog.current, schema, name)
            if not functions:
                raise UnknownFunction(function=f"{schema}.{name}")
        reads = any(function.volatility != "volatile" for function in functions)
        return Reply(headers=(("Allow", "OPTIONS,GET,HEAD,POST" if reads else "OPTIONS,POST"),), media_type=None)

    async def describe_root(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell which methods the root allows."""
        return Reply(headers=(("Allow", "OPTIONS,GET,HEAD"),), media_type=None)

    def prepare(self, request: RawRequest) -> Ready:
        """The statement for a request, with its arguments and its window; planned only for a new shape."""
        snapshot = self.catalog.current
        schema, query, profiled = schema_and_query(request, snapshot)
        parameters, values, window = take_apart(query)
        name = request.parameters["table"]
        body = NOTHING
        if request.method in _WITH_BODY:
            body = _body(request, parameters, snapshot.relations.get((schema, name)))
        elif request.method in _READING:
            served = request.headers.get("range") if request.method in _PAGED else None
            window = narrowed(window, served, self.settings.max_rows)
        shape = Shape(
            request.method,
            schema,
            name,
            request.headers.get("accept", ""),
            request.headers.get("prefer", ""),
            parameters,
            window.limit is not None,
            window.offset > 0,
            body.columns,
            body.is_array,
            profiled,
            tuple([level.shape for level in body.levels]) if body.levels else (),
        )
        context = self._add_context(snapshot, request, values)
        prepared = self.known.find(snapshot.version, shape)
        if prepared is None:
            streams = shape.method in _READING
            forms = forms_of(snapshot, self.settings, (schema, name), calls=False, streams=streams)
            asked = self._asked(shape, forms)
            try:
                planned = plan(asked, snapshot, self.relationships.of(snapshot), self.settings)
            except UnknownColumn as refusal:
                raise located(refusal, body.levels) from None
            prepared = self._prepared(request, asked, planned, snapshot, context)
            self._keep(snapshot, shape, prepared)
        ready = make_ready(prepared, values, window, body.text)
        return ready._replace(levels=body.levels) if body.levels else ready

    def prepare_call(self, request: RawRequest) -> Ready:
        """The same for a call of a function. Raises also what `plan_call` does."""
        snapshot = self.catalog.current
        schema, query, profiled = schema_and_query(request, snapshot)
        name, reads = request.parameters["function"], request.method in _READING
        query, given = split_arguments(query) if reads else (query, dict[str, list[str]]())
        parameters, values, window = take_apart(query)
        body = NO_BODY if reads else _call_body(request, parameters)
        served = request.headers.get("range") if request.method in _PAGED else None
        window = narrowed(window, served, self.settings.max_rows)
        result = Shape(
            request.method if reads else "GET",
            schema,
            name,
            request.headers.get("accept", ""),
            request.headers.get("prefer", ""),
            parameters,
            window.limit is not None,
            window.offset > 0,
            profiled=profiled,
        )
        shape = CallShape(result, tuple(given) or body.names, body.kind, reads)
        first = len(values)
        values += _argument_values(snapshot, schema, name, given)
        context = self._add_context(snapshot, request, values)
        prepared = self.known.find(snapshot.version, shape)
        if prepared is None:
            forms = forms_of(snapshot, self.settings, (schema, name), calls=True, streams=False)
            asked = self._asked(result, forms)
            planned = plan_call(asked, shape, snapshot, self.relationships.of(snapshot), self.settings, first)
            prepared = self._prepared(request, asked, planned, snapshot, context)
            self._keep(snapshot, shape, prepared)
        return make_ready(prepared, values, window, body.content)

    def _keep(self, snapshot: Snapshot, shape: Shape | CallShape, prepared: Prepared) -> None:
        if len(prepared.statement.sql) <= _LONGEST_KEPT:
            self.known.keep(snapshot.version, shape, prepared, self.settings.shapes)

    def _asked(self, shape: Shape, forms: Forms) -> Asked:
        asked = parse(shape, forms)
        return without_count_of_stream(without_refused_end(asked, self.settings))

    def _add_context(self, snapshot: Snapshot, request: RawRequest, values: list[str]) -> int | None:
        """Append what the request says of itself to the values, where somebody may look at it; its slot."""
        if not tells_context(snapshot, self.settings):
            return None
        values += context_of(request)
        return len(values) - 2

    def _prepared(
        self, request: RawRequest, asked: Asked, planned: Plan, snapshot: Snapshot, context: int | None
    ) -> Prepared:
        path = f"/{asked.relation}" if planned.source.call is None else f"/rpc/{asked.relation}"
        frame = frame_of(request.method, path, context, snapshot, self.settings)
        return Prepared(
            statement=write_statement(planned, frame),
            headers=rules.fixed_headers(planned),
            rolls_back=rolls_back(asked, self.settings),
            counted=frame.counted,
        )

    def _located(self, request: RawRequest, reply: Reply) -> Reply:
        if self.settings.content_location and request.method == "GET":
            return rules.with_location(reply, request.parameters["table"], request.query)
        return reply

    @contextmanager
    def telling(self) -> Generator[None]:
        """Let refusals say as much as the settings allow."""
        try:
            yield
        except RecordsRefusal as refusal:
            raise self._told(refusal) from refusal.__cause__

    def _told(self, refusal: RecordsRefusal) -> RecordsRefusal:
        refusal.terse = self.settings.error_verbosity == "minimal"
        return refusal


def _is_taken_apart(request: RawRequest) -> bool:
    """Whether Python reads more of a body than the keys of its rows."""
    return kind_of_body(request.headers.get("content-type", "")) != JSON or NESTED in request.query


def _body(request: RawRequest, parameters: tuple[Parameter, ...], relation: Relation | None) -> Body:
    kind = kind_of_body(request.headers.get("content-type", ""))
    columns_given = any(key == "columns" for key, _, _ in parameters)
    lenient = is_lenient(request)
    nested = _nested(parameters) if request.method == "POST" else ()
    if nested:
        return read_nested_body(request.body, kind, relation, nested, columns_given=columns_given, lenient=lenient)
    return read_body(
        request.body,
        kind,
        relation,
        columns_given=columns_given,
        lenient=lenient,
        ragged=any(key == "by" for key, _, _ in parameters),
    )


def _nested(parameters: tuple[Parameter, ...]) -> tuple[Embed, ...]:
    """The relations whose rows the rows of the body carry."""
    named = (value for key, value, _ in parameters if key == NESTED and isinstance(value, str) and value[:1] == "(")
    text = next(named, None)
    return () if text is None else parse_nested(text)


def _call_body(request: RawRequest, parameters: tuple[Parameter, ...]) -> CallBody:
    listed = next((value for key, value, _ in parameters if key == "columns" and isinstance(value, str)), None)
    columns = None if listed is None else parse_names(listed, "columns parameter")
    return read_call_body(request.body, kind_of_body(request.headers.get("content-type", "")), columns)


def _argument_values(snapshot: Snapshot, schema: str, name: str, given: dict[str, list[str]]) -> list[str]:
    """One text for each argument: the last of its values, or for a variadic one all of them as an array."""
    variadic = {
        argument.name
        for function in (find_functions(snapshot, schema, name) if given else ())
        for argument in function.arguments
        if argument.variadic
    }
    return [array_literal(values) if key in variadic else values[-1] for key, values in given.items()]
