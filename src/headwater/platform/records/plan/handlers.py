"""The rows that the database's own code makes an answer of."""

import msgspec

from headwater.kernel.catalog import Function
from headwater.platform.records.errors import NoMediaType
from headwater.platform.records.models import Asked, Output, Source


def for_handler(source: Source, asked: Asked, function: Function | None = None) -> Source:
    """The source as the handler of the answer's media type takes it, where there is one.

    One for the rows of a relation takes them whole, columns with a form of their own in JSON too. Raises `NoMediaType`
    where the `function` that is called is an overload of the one that makes this form.
    """
    handler = asked.media.handler
    if handler is None:
        return source
    whole = handler.aggregate and handler.relation is not None
    if function is not None and (
        function.returns_relation != handler.relation if whole else not handler.aggregate and function.composite
    ):
        raise NoMediaType(accepted=asked.media.name)
    return msgspec.structs.replace(source, outputs=(Output(),)) if whole else source
