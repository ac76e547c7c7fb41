"""What is done with actions that look wrong, until somebody has looked at them."""

from dataclasses import dataclass

from headwater.apps.scoreboard.errors.fraud import IncidentNotFound
from headwater.apps.scoreboard.events.fraud import IncidentOpened
from headwater.apps.scoreboard.models.fraud import Attempt, FraudSettings, Verdict
from headwater.apps.scoreboard.models.incidents import IncidentDetails, IncidentId, IncidentPage
from headwater.apps.scoreboard.models.incidents import Incidents as PageOfIncidents
from headwater.apps.scoreboard.queries import fraud, incidents
from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.principal import Principal


@dataclass(frozen=True)
class Incidents:
    """The verbs of whoever opens incidents and looks at them, and of the clock."""

    settings: FraudSettings

    async def open_incident(self, tx: WritingTransaction, attempt: Attempt, verdict: Verdict) -> None:
        """Write down an action that looks wrong; admins are told when it is the first of its player.

        The action stands in the log already.
        """
        incident_id, is_new = await incidents.add_to_incident(tx, attempt, verdict)
        if is_new:
            tx.emit(
                IncidentOpened(
                    incident_id=incident_id,
                    user_id=attempt.user_id,
                    board=attempt.board,
                    score=verdict.score,
                    reasons=tuple(reason.code for reason in verdict.reasons),
                    held=verdict.blocked,
                )
            )

    async def list_incidents(
        self, tx: ReadingTransaction, _principal: Principal, body: IncidentPage
    ) -> PageOfIncidents:
        """A page of incidents, newest first. Raises `IncidentNotFound` where `before` is none."""
        if body.before is not None and await incidents.find_incident(tx, body.before) is None:
            raise IncidentNotFound
        found = await incidents.list_incidents(tx, body, body.limit + 1)
        page = found[: body.limit]
        return PageOfIncidents(incidents=page, next=page[-1].id if len(found) > body.limit else None)

    async def show_incident(self, tx: ReadingTransaction, _principal: Principal, body: IncidentId) -> IncidentDetails:
        """An incident and its actions. Raises `IncidentNotFound`."""
        incident = await incidents.find_incident(tx, body.id)
        if incident is None:
            raise IncidentNotFound
        return IncidentDetails(incident=incident, actions=await incidents.list_actions(tx, body.id))

    async def learn_norms(self, tx: WritingTransaction) -> None:
        """Learn what actions bring to most players."""
        if self.settings.mode != "off":
            await fraud.learn_norms(tx, self.settings.norm_players)

    async def remove_old_behaviours(self, tx: WritingTransaction) -> None:
        """Forget how players behaved who have been quiet for long."""
        await fraud.remove_old(tx, self.settings)
