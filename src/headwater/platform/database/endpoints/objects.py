"""Where schemas, functions, indexes, policies and triggers are listed, made, changed and ended."""

from headwater.kernel.component import Access, Endpoint, Mode, Operation
from headwater.platform.database.models import (
    ChangedObject,
    ChangedPolicy,
    EndedFunction,
    EndedIndex,
    EndedSchema,
    FunctionList,
    IndexList,
    InSchema,
    NewFunction,
    NewIndex,
    NewPolicy,
    NewSchema,
    NewTrigger,
    OnTable,
    PolicyList,
    SchemaList,
    SwitchedTrigger,
    TriggerList,
)
from headwater.platform.database.operations import Functions, Indexes, Policies, Schemas, Triggers

_LONGEST_CHANGE = 35.0
"""Above the statement timeout, so that Postgres is the one who says that a change took too long."""
_LONGEST_INDEX = 3600.0
"""An index that is built beside the writers may take as long as the table is large."""


def _listing(path: str, operation: Operation, result: type, body: type | None = InSchema) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"/api/database/{path}",
        operation=operation,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=body,
        result=result,
    )


def _changing(
    method: str, path: str, operation: Operation, body: type, *, timeout: float = _LONGEST_CHANGE
) -> Endpoint:
    return Endpoint(
        method=method,
        path=f"/api/database/{path}",
        operation=operation,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=body,
        result=ChangedObject,
        status=201 if method == "POST" else 200,
        timeout=timeout,
    )


ENDPOINTS = (
    _listing("schemas", Schemas.list_schemas, SchemaList, None),
    _changing("POST", "schemas", Schemas.create_schema, NewSchema),
    _changing("DELETE", "schemas/{name}", Schemas.drop_schema, EndedSchema),
    _listing("functions", Functions.list_functions, FunctionList),
    _changing("POST", "functions", Functions.create_function, NewFunction),
    _changing("DELETE", "functions/{name}", Functions.drop_function, EndedFunction),
    _listing("indexes", Indexes.list_indexes, IndexList),
    _changing("POST", "indexes", Indexes.create_index, NewIndex, timeout=_LONGEST_INDEX),
    _changing("DELETE", "indexes/{name}", Indexes.drop_index, EndedIndex, timeout=_LONGEST_INDEX),
    _listing("policies", Policies.list_policies, PolicyList),
    _changing("POST", "policies", Policies.create_policy, NewPolicy),
    _changing("PATCH", "policies/{name}", Policies.alter_policy, ChangedPolicy),
    _changing("DELETE", "policies/{name}", Policies.drop_policy, OnTable),
    _listing("triggers", Triggers.list_triggers, TriggerList),
    _changing("POST", "triggers", Triggers.create_trigger, NewTrigger),
    _changing("PATCH", "triggers/{name}", Triggers.switch_trigger, SwitchedTrigger),
    _changing("DELETE", "triggers/{name}", Triggers.drop_trigger, OnTable),
)
