"""The verbs of Sample app on a real PostgreSQL."""

from uuid import UUID

import pytest

from headwater.kernel.database import Database
from headwater.kernel.jobs import JobRun
from headwater.kernel.models import Effects, JobCall
from headwater.kernel.principal import Principal

from ..errors import BlankNote
from ..events import SampleAppNoteAdded
from ..models import COUNT_WORDS, CountWords, NewNote, Note, Page
from ..operations import SampleApp

app = SampleApp()


async def _add(database: Database, user: Principal, text: str) -> tuple[Note, Effects]:
    return await database.writing(lambda tx: app.add_note(tx, user, NewNote(text=text)))


async def _notes_of(database: Database, user: Principal) -> list[Note]:
    return await database.reading(lambda tx: app.list_notes(tx, user, Page()))


async def test_a_note_is_kept_and_told(database: Database, user: Principal) -> None:
    note, effects = await _add(database, user, "two words")

    assert await _notes_of(database, user) == [note]
    assert effects.events == [SampleAppNoteAdded(note_id=note.id, owner=UUID(user.id))]
    assert effects.jobs == [JobCall(job=COUNT_WORDS, arguments=CountWords(note_id=note.id))]


async def test_nobody_else_sees_it(database: Database, user: Principal, other_user: Principal) -> None:
    await _add(database, user, "mine")

    assert await _notes_of(database, other_user) == []


async def test_a_blank_note_leaves_nothing_behind(database: Database, user: Principal) -> None:
    with pytest.raises(BlankNote):
        await _add(database, user, " ")

    assert await _notes_of(database, user) == []


async def test_the_job_counts_the_words(database: Database, user: Principal) -> None:
    note, _ = await _add(database, user, "two words")
    run = JobRun(id="1", attempt=1, arguments=CountWords(note_id=note.id))

    await database.writing(lambda tx: app.count_words(tx, run))

    assert [counted.words for counted in await _notes_of(database, user)] == [2]
