"""Where admins look at what looked wrong, and decide."""

from headwater.apps.scoreboard.endpoints.envelope import ENVELOPE
from headwater.apps.scoreboard.models.incidents import (
    Incident,
    IncidentDetails,
    IncidentId,
    IncidentPage,
    Review,
)
from headwater.apps.scoreboard.models.incidents import Incidents as PageOfIncidents
from headwater.apps.scoreboard.operations.incidents import Incidents
from headwater.apps.scoreboard.operations.reviews import Reviews
from headwater.kernel.component import Access, Endpoint, Mode

PATH = "/api/scoreboard/incidents"

ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        operation=Incidents.list_incidents,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=IncidentPage,
        result=PageOfIncidents,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{id}}",
        operation=Incidents.show_incident,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=IncidentId,
        result=IncidentDetails,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="POST",
        path=f"{PATH}/{{id}}/review",
        operation=Reviews.review_incident,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=Review,
        result=Incident,
        envelope=ENVELOPE,
    ),
)
