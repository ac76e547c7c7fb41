"""A real SMTP server in this process, and mailers that know it."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headwater.kernel.clock import DrivenClock
from headwater.kernel.mail import Mailer, MailSettings, SmtpSettings
from headwater.kernel.observe import Observer
from headwater.kernel.vault import MasterKey, Vault

VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
USER, PASSWORD = "post", "correct horse"


class PostOffice:
    """An SMTP server on a thread of its own; keeps what it takes, and answers RCPT with `verdict` if one is set."""

    def __init__(self, context: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        self.taken: list[Envelope] = []
        self.logins: list[tuple[str, str]] = []
        self.verdict: str | None = None
        self._controller: Any = Controller(
            self,
            hostname="127.0.0.1",
            port=_free_port(),
            ssl_context=context if implicit else None,
            tls_context=None if implicit else context,
            authenticator=self._authenticate,
            auth_require_tls=False,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(cast("bytes", each.original_content), policy=default) for each in self.taken]

    async def handle_RCPT(self, _server: object, _session: object, envelope: Envelope, address: str, _o: object) -> str:  # noqa: N802 - aiosmtpd's name
        if self.verdict is not None:
            return self.verdict
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - the same
        self.taken.append(envelope)
        return "250 taken"

    def _authenticate(self, _s: object, _session: object, _e: object, _mechanism: str, shown: object) -> AuthResult:
        assert isinstance(shown, LoginPassword)
        login = (shown.login.decode(), shown.password.decode())
        self.logins.append(login)
        return AuthResult(success=login == (USER, PASSWORD), handled=False)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """A server that offers no encryption."""
    with PostOffice() as opened:
        yield opened


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for 127.0.0.1, and a client that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("certificate")
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain, private)
    return server, ssl.create_default_context(cafile=chain)


class Mailers:
    """Makes mailers."""

    def __init__(self, clock: DrivenClock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer

    def __call__(
        self,
        mode: Any = None,
        *,
        local: bool = False,
        verify: ssl.SSLContext | None = None,
        **smtp: Any,
    ) -> Mailer:
        stated: dict[str, Any] = {"sender_email": "app@example.com", **smtp}
        settings = (MailSettings(mode=mode), SmtpSettings(**stated))
        return Mailer(settings, VAULT, self._clock, self._observer, listens_locally=local, verify=verify)


@pytest.fixture
def mailers(clock: DrivenClock, observer: Observer) -> Mailers:
    """Makes mailers; keyword arguments are SMTP settings."""
    return Mailers(clock, observer)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def silent_port() -> tuple[asyncio.Server, int]:
    """A server that takes connections and never says a word."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    return server, int(server.sockets[0].getsockname()[1])
