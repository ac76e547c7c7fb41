"""What of the house reaches outside: its public address, the mailer, the HTTP client."""

import re

import msgspec

from headwater.boot.errors import InvalidSetting
from headwater.boot.foundation import Foundation, Ground
from headwater.boot.parts import Parts
from headwater.boot.settings import ServerSettings
from headwater.kernel.mail import Mailer, MailSettings, SmtpSettings
from headwater.kernel.models import PublicAddress
from headwater.kernel.observe import Observation, ServerStarted
from headwater.kernel.outbound import Outbound, OutboundSettings

_URL = re.compile(r"https?://[^/\s?#@]+(/[^\s?#]*)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def add_outside(parts: Parts, ground: Ground, foundation: Foundation) -> None:
    """Let components ask for what reaches outside; raises `InvalidSetting`."""
    settings = ground.settings
    served = settings.part(ServerSettings)
    if ground.host is not None:
        served = msgspec.structs.replace(served, host=ground.host)
    if served.public_url is not None and not _URL.fullmatch(served.public_url):
        raise InvalidSetting(name="HEADWATER_PUBLIC_URL", reason="must be a URL such as https://auth.example.com")
    address = PublicAddress(url=(served.public_url or url_of(served)).rstrip("/"))
    if served.public_url is None:
        ground.observer.add(_Following(address))
    parts.add(address)
    parts.add(Outbound(settings.part(OutboundSettings), ground.clock, ground.observer))
    parts.add(
        Mailer(
            (settings.part(MailSettings), settings.part(SmtpSettings)),
            foundation.vault,
            ground.clock,
            ground.observer,
            listens_locally=served.host in _LOOPBACK,
        )
    )


def url_of(settings: ServerSettings) -> str:
    """Where a server with these settings listens."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


class _Following:
    """Notes where the server really listens: it may have been asked for any free port."""

    def __init__(self, address: PublicAddress) -> None:
        self._address = address

    def __call__(self, observation: Observation) -> None:
        if isinstance(observation, ServerStarted):
            self._address.url = observation.url
