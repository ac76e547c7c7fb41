"""What is refused of backups, and of when they are made."""

from headwater.kernel.errors import Refusal


class LastBackupFailed(Refusal):
    """The latest backup that the clock asked for did not come about; told by /health."""

    code = "BACKUP_FAILED"
    status = 503
    sentence = "The scheduled backup of {moment} failed: {reason}"


class WrongSchedule(Refusal):
    """A cron expression that no clock could keep; the sentence names the field."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "{reason}"


class BackupNotFound(Refusal):
    """There is no backup of this id."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "There is no such backup"


class BackupUnfinished(Refusal):
    """The backup came to nothing, so there is nothing to restore."""

    code = "DATABASE_VALIDATION_ERROR"
    status = 400
    sentence = "This backup failed and holds nothing: {reason}"


class RestoreNeedsCommand(Refusal):
    """A restore would pull the database away from under this server and the others."""

    code = "SERVER_IS_RUNNING"
    status = 409
    sentence = (
        "The backup is whole, but a restore replaces the whole database and no server may run meanwhile: "
        "stop every server, then run `headwater restore {file} --replace`"
    )
