"""Why a house is not built."""

from headwater.kernel.errors import Refusal


class InvalidSetting(Refusal):
    """A setting cannot be read."""

    code = "INVALID_SETTING"
    status = 500
    sentence = "{name}: {reason}"


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
