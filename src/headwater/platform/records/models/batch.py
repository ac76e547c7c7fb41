"""Several requests in one, and what each is answered."""

from collections.abc import Mapping
from typing import Literal

import msgspec


class BatchedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request of a batch; `path` stands below the mount, with its query; `body` is JSON, or a text of other kinds.

    `$(/0/0/id)` in the path, and `{"$from": "/0/0/id"}` in the body, stand for what that JSON Pointer (RFC 6901) finds
    in the list of the answers before.
    """

    method: Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    headers: Mapping[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


class BatchedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request of a batch would be answered alone; a body that is no JSON is a text, none is null."""

    status: int
    headers: dict[str, str]
    body: msgspec.Raw
