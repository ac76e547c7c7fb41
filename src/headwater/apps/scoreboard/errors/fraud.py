"""What the scoreboard refuses of incidents."""

from headwater.kernel.errors import Refusal


class IncidentNotFound(Refusal):
    """There is no such incident."""

    code = "INCIDENT_NOT_FOUND"
    status = 404
    sentence = "Incident not found"


class IncidentClosed(Refusal):
    """Somebody has reviewed the incident already."""

    code = "INCIDENT_REVIEWED"
    status = 409
    sentence = "This incident was {state} by {reviewer} already"
