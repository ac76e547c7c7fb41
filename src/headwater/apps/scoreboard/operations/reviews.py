"""What admins decide about actions that looked wrong."""

from dataclasses import dataclass
from uuid import UUID

from headwater.apps.scoreboard.errors.fraud import IncidentClosed, IncidentNotFound
from headwater.apps.scoreboard.events.fraud import IncidentReviewed
from headwater.apps.scoreboard.models.fraud import FraudSettings
from headwater.apps.scoreboard.models.incidents import Incident, Review, State
from headwater.apps.scoreboard.operations.scoring import Scoring
from headwater.apps.scoreboard.queries import fraud, incidents
from headwater.kernel.database import WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal


@dataclass(frozen=True)
class Reviews:
    """The verb of the reviewer."""

    settings: FraudSettings
    scoring: Scoring

    async def review_incident(self, tx: WritingTransaction, principal: Principal, body: Review) -> Incident:
        """Decide an incident, once: released, its held actions count now; confirmed, they never do.

        A player who is released is learnt anew and left alone for `trust_days`. Raises `IncidentNotFound`,
        `IncidentClosed`, and what `Scoring.count_points` raises: then nothing is decided.
        """
        incident = await self._locked(tx, body.id)
        if incident.state != "open":
            raise IncidentClosed(state=incident.state, reviewer=incident.reviewed_by)
        released = body.decision == "release"
        if released:
            held = await incidents.list_held(tx, body.id)
            for attempt in held:
                await self.scoring.count_points(tx, attempt)
            await fraud.trust(tx, incident.user_id, self.settings.trust_days)
            actions, points = len(held), sum(attempt.points for attempt in held)
        else:
            actions, points = await incidents.refuse_actions(tx, body.id), 0
        await self._close(tx, incident, principal, body)
        tx.emit(
            IncidentReviewed(
                incident_id=incident.id,
                user_id=incident.user_id,
                board=incident.board,
                released=released,
                actions=actions,
                points=points,
            )
        )
        reviewed = await incidents.find_incident(tx, body.id)
        assert reviewed is not None  # noqa: S101 - it is locked
        return reviewed

    async def _locked(self, tx: WritingTransaction, incident_id: UUID) -> Incident:
        """The incident, locked after its player's behaviour: in the order of an action that is judged meanwhile."""
        found = await incidents.find_incident(tx, incident_id)
        if found is None:
            raise IncidentNotFound
        await fraud.lock_behaviour(tx, found.user_id)
        incident = await incidents.lock_incident(tx, incident_id)
        if incident is None:
            raise IncidentNotFound
        return incident

    async def _close(self, tx: WritingTransaction, incident: Incident, principal: Principal, body: Review) -> None:
        state: State = "released" if body.decision == "release" else "confirmed"
        await incidents.close_incident(tx, incident.id, state, principal.key, body.note)
        details = {"incident": str(incident.id), "user": str(incident.user_id), "board": incident.board}
        told = details | {"attempts": incident.attempts, "points": incident.points, "note": body.note}
        tx.audit(AuditEntry(action=f"INCIDENT_{state.upper()}", module="scoreboard", details=told))
