"""Why a house is not built."""

from headwater.kernel.errors import Refusal


class InvalidSetting(Refusal):
    """A setting cannot be read."""

    code = "INVALID_SETTING"
    status = 500
    sentence = "{name}: {reason}"


class FolderUnusable(Refusal):
    """The data folder cannot be made, or not be written."""

    code = "FOLDER_UNUSABLE"
    status = 500
    sentence = "{folder} cannot be used ({reason}): run as its owner, or choose another folder with --data"


class DatabaseUnreachable(Refusal):
    """The configured database does not let us in, or is not there."""

    code = "DATABASE_UNREACHABLE"
    status = 503
    sentence = "The database of HEADWATER_DATABASE_URL cannot be reached: {reason}"


class AddressUnavailable(Refusal):
    """The server cannot listen where it was told to."""

    code = "ADDRESS_UNAVAILABLE"
    status = 500
    sentence = "Cannot listen on {host}:{port} ({reason}): choose another address with --host and --port"


class ProcessNotStarted(Refusal):
    """One of the processes that were to answer at the address ended before it did."""

    code = "PROCESS_NOT_STARTED"
    status = 500
    sentence = "A worker process ended with status {status} before it could answer: what it said stands above"


class ClashingMessages(Refusal):
    """Two messages of one path have the same name."""

    code = "CLASHING_MESSAGES"
    status = 500
    sentence = "The event {event} on {path} is declared by {one} and by {other}"


class ClashingResumptions(Refusal):
    """Two components say what the clients of one path go on with."""

    code = "CLASHING_RESUMPTIONS"
    status = 500
    sentence = (
        "On {path} both {one} and {other} declare `resume`, and a client can go on with one of them only: take it out "
        "of {other}, or serve {other} below /apps/{other}/ alone"
    )


class ClashingRoutes(Refusal):
    """Two endpoints of one origin answer the same method and path."""

    code = "CLASHING_ROUTES"
    status = 500
    sentence = "{method} {path} is declared by {one} and by {other}"


class ClashingNames(Refusal):
    """Two components call something by one name, and each would be given what is meant for the other."""

    code = "CLASHING_NAMES"
    status = 500
    sentence = "The {kind} {name} is declared by {one} and by {other}: rename one of them"


class UnknownApp(Refusal):
    """`--root-app` names an app that is not installed."""

    code = "UNKNOWN_APP"
    status = 500
    sentence = "There is no app named {name}: installed are {installed}"


class MissingPage(Refusal):
    """A component declares a page that is not there."""

    code = "MISSING_PAGE"
    status = 500
    sentence = "The page of {component} has no index.html in {folder}"


class UnknownJob(Refusal):
    """A name on the command line is no job's, and no timer's."""

    code = "UNKNOWN_JOB"
    status = 404
    sentence = "There is no job or timer named {name}: declared are {declared}"


class NoSuchFailure(Refusal):
    """No failed job is kept under what the command line names."""

    code = "NO_SUCH_FAILURE"
    status = 404
    sentence = "No failed job is kept under {meant}: `headwater jobs failures` lists those that are"


class NothingMeant(Refusal):
    """The command would change failed jobs and does not say which."""

    code = "NOTHING_MEANT"
    status = 400
    sentence = "Say which failed jobs are meant: an id, a job's name, or --all, and only one of them"


class MissingPart(Refusal):
    """An operations class asks for something that the house does not have."""

    code = "MISSING_PART"
    status = 500
    sentence = "{owner} needs a {kind}, and the house has none"


class NotForApps(Refusal):
    """An app's class asks for something that would let it into other apps' affairs."""

    code = "NOT_FOR_APPS"
    status = 500
    sentence = "{owner} of the app {app} asks for {kind}, which is not for apps: ask for {instead}"


class ServerIsRunning(Refusal):
    """A restore would pull the database away from under a server."""

    code = "SERVER_IS_RUNNING"
    status = 409
    sentence = "A Headwater server is connected to the database of HEADWATER_DATABASE_URL: stop it, then restore"


class TargetNotEmpty(Refusal):
    """A restore overwrites nothing unless it is told to."""

    code = "TARGET_NOT_EMPTY"
    status = 409
    sentence = "There is a database in {target} already: add --replace to lose it, or choose another folder with --data"


class KeyOfBackupMissing(Refusal):
    """Without its key nobody opens the secrets in a backup, and a new key would hide that until they are needed."""

    code = "ENCRYPTION_KEY_MISSING"
    status = 409
    sentence = (
        "The secrets in this backup need the key {fingerprint}, which is not here: put it into {file} (mode 600) or "
        "into HEADWATER_ENCRYPTION_KEY; if it is lost, add --lose-secrets"
    )


class BackupOfAnotherKey(Refusal):
    """The key at hand does not open the secrets in the backup."""

    code = "ENCRYPTION_KEY_CHANGED"
    status = 409
    sentence = (
        "The secrets in this backup need the key {fingerprint}, and the key at hand is {given}: bring the first, or "
        "add --lose-secrets"
    )


class BackupTooNew(Refusal):
    """The backup was made by a later version than this one."""

    code = "BACKUP_TOO_NEW"
    status = 409
    sentence = "{file} has the migration {migration}, which this version of Headwater does not know: upgrade first"
