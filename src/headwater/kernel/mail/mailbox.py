"""The development mailbox: letters for whoever tries an app on his own machine, for an hour."""

from datetime import timedelta
from email.message import EmailMessage

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.mail import queries
from headwater.kernel.mail.models import ReceivedLetter
from headwater.kernel.vault import Vault

_KEPT = timedelta(hours=1)


async def keep_letter(tx: WritingTransaction, vault: Vault, message: EmailMessage, recipients: list[str]) -> None:
    """Put a letter into the mailbox, encrypted."""
    letter_id = new_id()
    letter = ReceivedLetter(
        received_at=tx.now,
        sender=str(message["From"]),
        to=tuple(recipients),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )
    sealed = vault.seal(f"mail/{letter_id}", msgspec.json.encode(letter))
    await queries.add_letter(tx, letter_id, sealed, tx.now + _KEPT)


async def list_letters(tx: ReadingTransaction, vault: Vault) -> list[ReceivedLetter]:
    """The letters of the last hour, the oldest first."""
    return [
        msgspec.json.decode(vault.unseal(f"mail/{letter_id}", sealed), type=ReceivedLetter)
        for letter_id, sealed in await queries.list_letters(tx)
    ]


async def remove_expired_letters(tx: WritingTransaction) -> None:
    """Empty the mailbox of what has lain in it for an hour."""
    await queries.remove_expired_letters(tx)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())
