"""What is done to send a message to a webhook."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions
from headwater.kernel.jobs import JobRun
from headwater.kernel.outbound import Outbound, OutboundCall
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.errors import WebhookRefused
from headwater.platform.realtime.models import WebhookCall
from headwater.platform.realtime.webhooks import WebhookSecret, signature_of

_SECONDS = 10.0
_LARGEST_ANSWER = 65536
_GONE = 410


@dataclass(frozen=True)
class Webhooks:
    """The verbs of webhooks: a message is sent until it is taken, and counted once."""

    outbound: Outbound
    secret: WebhookSecret
    clock: Clock

    async def call_webhook(self, transactions: Transactions, run: JobRun) -> None:
        """Send a message to a URL: its payload, signed (Standard Webhooks), with the original's headers beside.

        Nothing is sent any more where the admin has taken the URL away. Raises `WebhookRefused` for every answer but
        2xx, and 410 by which a webhook says that it is gone, and what `Outbound.call` raises; then it is tried again.
        """
        call = run.arguments
        assert isinstance(call, WebhookCall)  # noqa: S101 - for the type checker: the job declares it
        letter = await transactions.reading(lambda tx: queries.find_letter(tx, call))
        if letter is None:
            return
        body, name = letter.payload.encode(), str(call.message)
        timestamp = int(self.clock.timestamp())
        secret = await self.secret.read(transactions)
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature_of(secret, name, timestamp, body),
            "X-InsForge-Event": rules.header_of(letter.event),
            "X-InsForge-Channel": rules.header_of(letter.channel),
            "X-InsForge-Message-Id": name,
        }
        answer = await self.outbound.call(
            OutboundCall(
                method="POST", url=call.url, headers=headers, body=body, seconds=_SECONDS, largest=_LARGEST_ANSWER
            )
        )
        if answer.is_good:
            await transactions.writing(lambda tx: queries.add_delivery(tx, call))
        elif answer.status != _GONE:
            raise WebhookRefused(host=urlsplit(call.url).hostname, status=answer.status)
