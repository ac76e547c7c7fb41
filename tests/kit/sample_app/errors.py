"""What Sample app refuses."""

from headwater.kernel.errors import Refusal


class BlankNote(Refusal):
    """The note has no words."""

    code = "BLANK_NOTE"
    status = 400
    sentence = "A note needs at least one word"
