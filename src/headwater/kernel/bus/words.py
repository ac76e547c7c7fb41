"""What the processes of a house say to each other about themselves, each in one NOTIFY payload."""

import msgspec

from headwater.kernel.bus.bus import MessageTooLarge

CHANNEL = "headwater_nodes"
_PAYLOAD_LIMIT = 7900


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells all, itself included; `node` is who."""

    node: str


class Lives(Word, frozen=True, tag="lives"):
    """It lives, and `at` is when it said so, by its own stopwatch: of use to it alone."""

    at: float


class Leaves(Word, frozen=True, tag="leaves"):
    """It leaves, and nobody need wait for it."""


class Question(Word, frozen=True, tag="asks"):
    """It asks everyone to act on a message, and to say so."""

    number: int
    topic: str
    message: bytes


class Answer(Word, frozen=True, tag="answers"):
    """It has acted on a question of `asker`."""

    asker: str
    number: int


_DECODER: msgspec.json.Decoder[Lives | Leaves | Question | Answer] = msgspec.json.Decoder(
    Lives | Leaves | Question | Answer
)


def write(word: Lives | Leaves | Question | Answer) -> str:
    """A word as a payload; raises `MessageTooLarge` for a question with too much to tell."""
    payload = msgspec.json.encode(word)
    if len(payload) > _PAYLOAD_LIMIT:
        raise MessageTooLarge(word.topic if isinstance(word, Question) else CHANNEL, len(payload), _PAYLOAD_LIMIT)
    return payload.decode()


def read(payload: str) -> Lives | Leaves | Question | Answer:
    """The word of a payload. Raises `msgspec.DecodeError` for what no process of ours wrote."""
    return _DECODER.decode(payload)
