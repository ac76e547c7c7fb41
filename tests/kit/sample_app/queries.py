"""The SQL of Sample app."""

from uuid import UUID

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction

from .models import Note

ADD_NOTE = """
insert into sample_app.notes (owner, text, created_at) values ($1, $2, $3)
returning id, text, words, created_at
"""
LIST_NOTES = """
select id, text, words, created_at from sample_app.notes where owner = $1
order by created_at desc, id limit $2
"""
FIND_TEXT = "select text from sample_app.notes where id = $1 for no key update"
UPDATE_WORDS = "update sample_app.notes set words = $2 where id = $1"


async def add_note(tx: WritingTransaction, owner: UUID, text: str) -> Note:
    """The new row."""
    [row] = await tx.rows(ADD_NOTE, owner, text, tx.now)
    return _note(row)


async def list_notes(tx: ReadingTransaction, owner: UUID, limit: int) -> list[Note]:
    """The owner's rows, newest first."""
    return [_note(row) for row in await tx.rows(LIST_NOTES, owner, limit)]


async def find_text(tx: WritingTransaction, note_id: UUID) -> str | None:
    """The text of a row, which is locked; None if there is no such row."""
    return await tx.value(FIND_TEXT, note_id)


async def update_words(tx: WritingTransaction, note_id: UUID, words: int) -> None:
    """Write the count beside the text."""
    await tx.execute(UPDATE_WORDS, note_id, words)


def _note(row: Row) -> Note:
    return Note(id=row["id"], text=row["text"], words=row["words"], created_at=row["created_at"])
