"""What is told of the database as a whole."""

import msgspec


class TableSize(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table of schema `public` and about how many rows it has."""

    table_name: str
    record_count: int


class DatabaseContents(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the database; the size is in GiB."""

    tables: tuple[TableSize, ...]
    total_size: float = msgspec.field(name="totalSizeInGB")
    hint: str
