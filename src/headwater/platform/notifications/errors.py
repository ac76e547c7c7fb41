"""What notifications refuse."""

from headwater.kernel.errors import Refusal


class NoticeNotFound(Refusal):
    """The caller has no such notice."""

    code = "NOT_FOUND"
    status = 404
    sentence = "Notice not found"
