"""What of the records dialect can be set."""

from typing import Literal

import msgspec


class RecordsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_RECORDS_*."""

    max_rows: int | None = None
    """The most rows one answer holds; unset, as many as there are."""
    shapes: int = 1024
    """How many request shapes keep their SQL."""
    aggregates: bool = True
    """Whether `sum()` and its like may be asked for; PostgREST's own default is not (docs/decisions/0010)."""
    extra_search_path: tuple[str, ...] = ("public",)
    """Schemas that functions find after the one a request is about."""
    pre_request: str | None = None
    """A function, with its schema, that is called before every statement, in its transaction."""
    hoisted_settings: tuple[str, ...] = (
        "statement_timeout",
        "plan_filter.statement_cost_limit",
        "default_transaction_isolation",
    )
    """Settings of a function (`SET` in its definition) that hold for the whole transaction of its call."""
    request_settings: Literal["auto", "always"] = "auto"
    """Whether `request.headers` and its like are set always, or where the database's own code speaks of them."""
    tx_end: Literal["commit", "commit-allow-override", "rollback", "rollback-allow-override"] = "commit"
    """How transactions end, and whether `Prefer: tx=` may choose otherwise."""
    nested_depth: int = 5
    """How many levels of related rows the rows of one insert may carry, each inside the other; 0 for none."""
    plan: bool = False
    """Whether callers may ask for Postgres' plans; they tell of rows that policies hide."""
    error_verbosity: Literal["verbose", "minimal"] = "verbose"
    """`minimal` leaves details and hint out of errors."""
    content_location: bool = False
    """Whether answers to GET name themselves in `Content-Location`."""
    openapi: Literal["follow-privileges", "ignore-privileges", "disabled"] = "follow-privileges"
    """Whether the tables are described: to each role what it may use, to all everything, or to nobody."""
    keep_replies: bool = True
    """Whether a batch with an `Idempotency-Key` happens once; it is refused where no answers can be kept."""
    root_spec: str | None = None
    """A function whose result `/rest/v1/` answers with, in the place of the description."""
    openapi_server_proxy_uri: str | None = None
    """The public address of the root, if it is not the path it is served at."""
    openapi_security_active: bool = False
    """Whether PostgREST's description says that a token is needed."""
