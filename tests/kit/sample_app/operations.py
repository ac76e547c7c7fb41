"""What can be done with Sample app."""

from dataclasses import dataclass
from typing import cast

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.jobs import JobRun
from headwater.kernel.models import JobCall
from headwater.kernel.principal import Principal

from . import queries, rules
from .events import SampleAppNoteAdded
from .models import COUNT_WORDS, CountWords, NewNote, Note, Page


@dataclass(frozen=True)
class SampleApp:
    """The verbs; a field, stated by its type, is filled when the house opens."""

    async def add_note(self, tx: WritingTransaction, principal: Principal, body: NewNote) -> Note:
        """Keep a note for the caller; its words are counted after commit. Raises `BlankNote`."""
        rules.must_not_be_blank(body.text)
        note = await queries.add_note(tx, rules.owner(principal), body.text)
        tx.emit(SampleAppNoteAdded(note_id=note.id, owner=rules.owner(principal)))
        tx.enqueue(JobCall(job=COUNT_WORDS, arguments=CountWords(note_id=note.id)))
        return note

    async def list_notes(self, tx: ReadingTransaction, principal: Principal, body: Page) -> list[Note]:
        """The caller's notes, newest first, `limit` of them at most."""
        return await queries.list_notes(tx, rules.owner(principal), body.limit)

    async def count_words(self, tx: WritingTransaction, run: JobRun) -> None:
        """Write how many words a note has beside it; nothing happens if it is gone."""
        note_id = cast(CountWords, run.arguments).note_id
        text = await queries.find_text(tx, note_id)
        if text is not None:
            await queries.update_words(tx, note_id, rules.words_in(text))
