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


class ClashingRoutes(Refusal):
    """Two endpoints of one origin answer the same method and path."""

    code = "CLASHING_ROUTES"
    status = 500
    sentence = "{method} {path} is declared by {one} and by {other}"


class UnknownApp(Refusal):
    """`--root-app` names an app that is not installed."""

    code = "UNKNOWN_APP"
    status = 500
    sentence = "There is no app named {name}: installed are {installed}"


class MissingPart(Refusal):
    """An operations class asks for something that the house does not have."""

    code = "MISSING_PART"
    status = 500
    sentence = "{owner} needs a {kind}, and the house has none"
