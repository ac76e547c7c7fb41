"""Why a database is not dumped, or not restored."""

from headwater.kernel.errors import Refusal


class ProgramMissing(Refusal):
    """No program at hand is new enough for the database's server."""

    code = "POSTGRES_PROGRAM_MISSING"
    status = 503
    sentence = (
        "This database runs on PostgreSQL {major}, and no {name} of that version or a newer one is on PATH: "
        "install PostgreSQL's client programs"
    )


class ArchiveFailed(Refusal):
    """PostgreSQL's program could not do it; the sentence carries its own words."""

    code = "BACKUP_FAILED"
    status = 503
    sentence = "{name} failed and left nothing behind: {reason}"


class BackupExists(Refusal):
    """A backup never takes the place of a file."""

    code = "BACKUP_EXISTS"
    status = 409
    sentence = "{file} is already there: choose another name"


class BackupMissing(Refusal):
    """There is no such file."""

    code = "BACKUP_MISSING"
    status = 404
    sentence = "{file} is not there, or cannot be read"


class NotABackup(Refusal):
    """The file is no archive of a Headwater database."""

    code = "NOT_A_BACKUP"
    status = 400
    sentence = "{file} is no backup of a Headwater database: {reason}"
