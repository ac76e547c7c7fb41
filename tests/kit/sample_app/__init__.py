"""Sample app: notes that each user keeps for himself.

Tables: `sample_app.notes`.
Endpoints, under `/apps/sample_app`: `POST /notes`, `GET /notes`.
Page: `/`, its files in `page/`.
Events: `SampleAppNoteAdded`.
Jobs: `sample_app.count_words`.
Limits: 60 new notes a minute for each caller.
"""

from headwater.kernel.component import Component, Page

from . import errors
from .endpoints import ENDPOINTS
from .events import SampleAppNoteAdded
from .jobs import JOBS
from .operations import SampleApp

COMPONENT = Component(
    name=__name__.rpartition(".")[2],
    package=__name__,
    operations=SampleApp,
    endpoints=ENDPOINTS,
    jobs=JOBS,
    page=Page(),
    schemas=("sample_app",),
    events=(SampleAppNoteAdded,),
    errors=errors,
)

__all__ = ["COMPONENT", "SampleApp"]
