"""Where Sample app is reached."""

from headwater.kernel.component import Access, Endpoint, Limit, Mode

from .models import NewNote, Note, Page
from .operations import SampleApp

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/notes",
        operation=SampleApp.add_note,
        access=Access.USER,
        transaction=Mode.WRITING,
        body=NewNote,
        limits=(Limit(name="sample_app.add_note", count=60, seconds=60, by="principal"),),
        status=201,
        result=Note,
    ),
    Endpoint(
        method="GET",
        path="/notes",
        operation=SampleApp.list_notes,
        access=Access.USER,
        transaction=Mode.READING,
        body=Page,
        result=list[Note],
    ),
)
