"""What the scoreboard refuses of players, actions and boards."""

from headwater.kernel.errors import Refusal


class NameTaken(Refusal):
    """Another player has this name, or another account this address; which of them is not told."""

    code = "REGISTRATION_FAILED"
    status = 409
    sentence = "This username or email is taken"


class VerifyFirst(Refusal):
    """The account was made, and its address must be confirmed before it gets a token."""

    code = "EMAIL_NOT_VERIFIED"
    status = 403
    sentence = "The account was made: confirm the address in the letter, then sign in"


class PlayerNotFound(Refusal):
    """Nobody plays under this id."""

    code = "USER_NOT_FOUND"
    status = 404
    sentence = "User not found"


class BoardNotFound(Refusal):
    """There is no such board."""

    code = "BOARD_NOT_FOUND"
    status = 404
    sentence = "Board {board} not found"


class BoardExists(Refusal):
    """A board of this name is there already."""

    code = "BOARD_EXISTS"
    status = 409
    sentence = "Board {board} exists"


class DefaultBoardStays(Refusal):
    """The default board cannot be removed."""

    code = "FORBIDDEN"
    status = 403
    sentence = "The board default cannot be removed"


class BoardClosed(Refusal):
    """The tournament has not begun, or is over."""

    code = "BOARD_CLOSED"
    status = 409
    sentence = "Board {board} is closed: {reason}"


class BoardFull(Refusal):
    """As many players as may are in already."""

    code = "BOARD_FULL"
    status = 409
    sentence = "Board {board} takes no more than {limit} players"


class InvalidBoard(Refusal):
    """A board cannot be like this; the sentence names the field."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{field}: {reason}"


class InvalidIncrement(Refusal):
    """The points are none that this action may bring."""

    code = "INVALID_SCORE_INCREMENT"
    status = 400
    sentence = "scoreIncrement: {reason}"


class UnknownActionType(Refusal):
    """The server has no points for this action type."""

    code = "INVALID_ACTION_TYPE"
    status = 400
    sentence = "actionType: {action_type} is not known here"


class ForeignAction(Refusal):
    """The signature is not ours for this user and these fields."""

    code = "INVALID_ACTION_HASH"
    status = 400
    sentence = "actionHash: does not belong to this action and this user"


class ExpiredAction(Refusal):
    """The action was signed too long ago."""

    code = "ACTION_EXPIRED"
    status = 400
    sentence = "timestamp: the action has expired: ask for another"


class SpentAction(Refusal):
    """The action was posted before."""

    code = "DUPLICATE_ACTION"
    status = 400
    sentence = "actionId: this action has been counted already"


class KeyOfAnotherAction(Refusal):
    """The idempotency key came with another action before."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    sentence = "Idempotency-Key was already used for another action"


class HeldAction(Refusal):
    """The action looks wrong: it is kept for an admin to look at, and does not count until he releases it."""

    code = "ACTION_HELD"
    status = 403
    sentence = "This action is held for review and does not count until it is released"


class ScoreOutOfRange(Refusal):
    """The score would be larger than clients can read exactly."""

    code = "SCORE_UPDATE_FAILED"
    status = 409
    sentence = "The score would be beyond what can be told exactly"


class TooManyFriends(Refusal):
    """More players are named than one answer compares."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "users: {reason}"


class TooManyWatchers(Refusal):
    """Every place for a watcher is taken."""

    code = "BUSY"
    status = 503
    sentence = "Too many are watching: try again shortly"
