"""The tables described for programs: Swagger 2.0 as PostgREST writes it, OpenAPI 3.1 of our own."""

from headwater.platform.records.openapi.document import write_document
from headwater.platform.records.openapi.reach import About, Reach, reach_of
from headwater.platform.records.openapi.swagger import must_accept_description, write_swagger

__all__ = ["About", "Reach", "must_accept_description", "reach_of", "write_document", "write_swagger"]
