"""What a role may see of a table, and which principals see the same."""

import msgspec

from headwater.kernel.principal import Principal
from headwater.platform.realtime.changes.claims import read_by
from headwater.platform.realtime.models import TableAddress, WatchedTable

_encode = msgspec.json.Encoder(order="sorted").encode


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A role's view of a table.

    `policy` is the condition under which it sees a row (None: every row), and `claims` those that it reads (None:
    perhaps any). `columns` are those that the role may read, `judged` those that the policy may look at.
    """

    role: str
    columns: frozenset[str]
    policy: str | None
    claims: frozenset[str] | None
    judged: frozenset[str]


def sight_of(table: WatchedTable, role: str) -> Sight | None:
    """What a role may see; None if it may not look at the table, or not at the key that says which row is meant."""
    columns = frozenset(column.name for column in table.columns if role in column.readers)
    if role not in table.open_to or not table.key or not columns.issuperset(table.key):
        return None
    [itself] = [relation for relation in table.relations if relation.itself]
    if role not in itself.guarded:
        return Sight(role=role, columns=columns, policy=None, claims=frozenset(), judged=frozenset())
    mine = [policy for policy in itself.policies if role in policy.roles]
    permitting = [f"({policy.expression})" for policy in mine if not policy.restrictive]
    conditions = [f"({' or '.join(permitting) or 'false'})"]
    conditions += [f"({policy.expression})" for policy in mine if policy.restrictive]
    reading = read_by(table.relations, role, table.enumerations)
    return Sight(
        role=role,
        columns=columns,
        policy=" and ".join(conditions),
        claims=reading.claims,
        judged=reading.names & {column.name for column in table.columns},
    )


def group_of(sight: Sight, principal: Principal) -> bytes:
    """Principals of a role for whom this is the same see the same rows: the values of the claims that are read."""
    if sight.claims is None:
        return principal.claims_json.encode()
    return _encode({claim: principal.claims[claim] for claim in sight.claims if claim in principal.claims})


def is_readable(address: TableAddress, sight: Sight) -> bool:
    """Whether a filter asks for nothing that the role may not read."""
    return sight.columns.issuperset(condition.column for condition in address.conditions)
