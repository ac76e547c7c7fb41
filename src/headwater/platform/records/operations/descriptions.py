"""The verbs that describe the tables for programs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from headwater import __version__
from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.principal import Principal
from headwater.platform.records.errors import DescriptionOff
from headwater.platform.records.models import RecordsSettings
from headwater.platform.records.openapi import (
    About,
    Reach,
    must_accept_description,
    reach_of,
    write_document,
    write_swagger,
)
from headwater.platform.records.operations.asking import schema_and_query
from headwater.platform.records.operations.records import Records
from headwater.platform.records.queries import Rights, find_rights
from headwater.platform.records.shape import KnownShapes

_KEPT = 16
"""Descriptions that are remembered; one of 2,000 tables takes some ten megabytes."""


@dataclass(frozen=True)
class Descriptions:
    """Tells programs what tables and functions there are for the caller, and what they take and give."""

    records: Records
    catalog: Catalog
    settings: RecordsSettings
    written: KnownShapes[bytes] = field(default_factory=KnownShapes[bytes], init=False)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def describe_as_postgrest(
        self, transactions: Transactions, principal: Principal, request: RawRequest
    ) -> Reply:
        """Tell what PostgREST tells at its root: Swagger 2.0, or what the operator's own function gives.

        Raises `DescriptionOff`, `NoMediaType`.
        """
        if self.settings.root_spec is not None:
            function = self.settings.root_spec.rpartition(".")[2]
            asked = msgspec.structs.replace(request, parameters={**request.parameters, "function": function})
            return await self.records.call_function(transactions, principal, asked)
        if self.settings.openapi == "disabled":
            raise DescriptionOff
        must_accept_description(request.headers.get("accept", ""))
        url = self.settings.openapi_server_proxy_uri or "/rest/v1"
        body = await self._written(write_swagger, transactions, principal, request, url)
        return Reply(
            body=b"" if request.method == "HEAD" else body, media_type="application/openapi+json; charset=utf-8"
        )

    async def describe_tables(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell the same as an OpenAPI 3.1 document. Raises `DescriptionOff`."""
        if self.settings.openapi == "disabled":
            raise DescriptionOff
        return Reply(body=await self._written(write_document, transactions, principal, request, "/api/database"))

    async def _written(
        self,
        write: Callable[[Reach, About], bytes],
        transactions: Transactions,
        principal: Principal,
        request: RawRequest,
        url: str,
    ) -> bytes:
        """A description, written once for all who may do the same, off the loop, one at a time."""
        snapshot = self.catalog.current
        schema, _, _ = schema_and_query(request, snapshot)
        rights: Rights | None = None
        if self.settings.openapi == "follow-privileges":

            async def ask(tx: ReadingTransaction) -> Rights:
                return await find_rights(tx, schema)

            rights = await transactions.reading(ask, principal)
        shape = (url, schema, msgspec.json.encode(rights))
        async with self.writing:
            body = self.written.find(snapshot.version, shape)
            if body is None:
                about = About(version=__version__, url=url, secured=self.settings.openapi_security_active)
                body = await asyncio.to_thread(lambda: write(reach_of(snapshot, schema, rights), about))
                self.written.keep(snapshot.version, shape, body, _KEPT)
        return body
