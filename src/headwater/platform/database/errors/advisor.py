"""What is refused of the advisor."""

from headwater.kernel.errors import Refusal


class SuppressionExists(Refusal):
    """The advisor is silent about that already."""

    code = "DATABASE_DUPLICATE"
    status = 409
    sentence = "There is already a suppression of {code} for the same object"


class SuppressionNotFound(Refusal):
    """There is no suppression of this id."""

    code = "DATABASE_NOT_FOUND"
    status = 404
    sentence = "There is no such suppression"
