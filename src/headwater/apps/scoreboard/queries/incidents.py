"""The SQL of incidents."""

from uuid import UUID

import msgspec

from headwater.apps.scoreboard.models.fraud import Attempt, Reason, Verdict
from headwater.apps.scoreboard.models.incidents import AT_MOST, Incident, IncidentPage, State, SuspectAction
from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction

ADD_TO_INCIDENT = f"""
with found as (
  insert into scoreboard.incidents as i (user_id, board, outcome, score, reasons, points, opened_at, latest_at)
  values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $7)
  on conflict (user_id, board, outcome) where state = 'open' and attempts < {AT_MOST} do update set
    attempts = i.attempts + 1, points = i.points + excluded.points, latest_at = excluded.latest_at,
    score = greatest(i.score, excluded.score),
    reasons = case when excluded.score > i.score then excluded.reasons else i.reasons end
  returning id, attempts
), added as (
  insert into scoreboard.incident_actions (action_id, incident_id) select $8, id from found
)
select id, attempts from found
"""
_INCIDENT = """
select i.id, i.user_id, p.username, p.hidden, i.board, i.outcome, i.state, i.score, i.reasons::text as reasons,
  i.attempts, i.points, i.opened_at, i.latest_at, i.reviewed_at, i.reviewed_by, i.note
from scoreboard.incidents i join scoreboard.players p using (user_id)
"""
FIND_INCIDENT = f"{_INCIDENT} where i.id = $1"
LOCK_INCIDENT = f"{_INCIDENT} where i.id = $1 for no key update of i"
LIST_INCIDENTS = f"""
{_INCIDENT}
where ($1::text is null or i.state = $1) and ($2::text is null or i.board = $2) and ($3::uuid is null or i.user_id = $3)
  and ($4::uuid is null or (i.opened_at, i.id) < (select b.opened_at, b.id from scoreboard.incidents b where b.id = $4))
order by i.opened_at desc, i.id desc limit $5
"""
LIST_ACTIONS = """
select a.id, a.user_id, a.board, a.points, a.action_type, a.address, a.device, a.outcome, a.created_at
from scoreboard.incident_actions s join scoreboard.actions a on a.id = s.action_id
where s.incident_id = $1 order by a.created_at, a.id
"""
CLOSE_INCIDENT = """
update scoreboard.incidents set state = $2, reviewed_at = $3, reviewed_by = $4, note = $5 where id = $1
"""
REFUSE_ACTIONS = """
update scoreboard.actions set outcome = 'refused'
where outcome = 'held' and id in (select action_id from scoreboard.incident_actions where incident_id = $1)
"""


async def add_to_incident(tx: WritingTransaction, attempt: Attempt, verdict: Verdict) -> tuple[UUID, bool]:
    """Add an action to its player's open incident; which one, and whether it is new."""
    outcome = "held" if verdict.blocked else "counted"
    reasons = msgspec.json.encode(verdict.reasons).decode()
    seen = (verdict.score, reasons, attempt.points, attempt.at, attempt.action_id)
    [row] = await tx.rows(ADD_TO_INCIDENT, attempt.user_id, attempt.board, outcome, *seen)
    return row["id"], row["attempts"] == 1


async def find_incident(tx: ReadingTransaction, incident_id: UUID) -> Incident | None:
    """One incident."""
    row = await tx.row(FIND_INCIDENT, incident_id)
    return None if row is None else _incident(row)


async def lock_incident(tx: WritingTransaction, incident_id: UUID) -> Incident | None:
    """One incident, which nobody else reviews or adds to until the end of the transaction."""
    row = await tx.row(LOCK_INCIDENT, incident_id)
    return None if row is None else _incident(row)


async def list_incidents(tx: ReadingTransaction, page: IncidentPage, limit: int) -> list[Incident]:
    """Incidents of a page, newest first, `limit` at most."""
    filters = (page.state, page.board, page.user_id, page.before)
    return [_incident(row) for row in await tx.rows(LIST_INCIDENTS, *filters, limit)]


async def list_actions(tx: ReadingTransaction, incident_id: UUID) -> list[SuspectAction]:
    """The actions of an incident that are still kept, oldest first."""
    return [
        SuspectAction(
            action_id=row["id"],
            action_type=row["action_type"],
            points=row["points"],
            address=row["address"],
            device=row["device"],
            outcome=row["outcome"],
            created_at=row["created_at"],
        )
        for row in await tx.rows(LIST_ACTIONS, incident_id)
    ]


async def list_held(tx: WritingTransaction, incident_id: UUID) -> list[Attempt]:
    """The held actions of an incident, oldest first."""
    return [
        Attempt(
            user_id=row["user_id"],
            board=row["board"],
            action_id=row["id"],
            action_type=row["action_type"],
            points=row["points"],
            address=row["address"],
            device=row["device"],
            issued_at=row["created_at"],
            at=row["created_at"],
        )
        for row in await tx.rows(LIST_ACTIONS, incident_id)
        if row["outcome"] == "held"
    ]


async def refuse_actions(tx: WritingTransaction, incident_id: UUID) -> int:
    """Keep the held actions of an incident out for good; how many."""
    return await tx.execute(REFUSE_ACTIONS, incident_id)


async def close_incident(
    tx: WritingTransaction, incident_id: UUID, state: State, reviewer: str, note: str | None
) -> None:
    """Write down what was decided."""
    await tx.execute(CLOSE_INCIDENT, incident_id, state, tx.now, reviewer, note)


def _incident(row: Row) -> Incident:
    return Incident(
        id=row["id"],
        user_id=row["user_id"],
        username=row["username"],
        hidden=row["hidden"],
        board=row["board"],
        outcome=row["outcome"],
        state=row["state"],
        score=row["score"],
        reasons=msgspec.json.decode(row["reasons"], type=list[Reason]),
        attempts=row["attempts"],
        points=row["points"],
        opened_at=row["opened_at"],
        latest_at=row["latest_at"],
        reviewed_at=row["reviewed_at"],
        reviewed_by=row["reviewed_by"],
        note=row["note"],
    )
