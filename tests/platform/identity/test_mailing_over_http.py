"""Mail as clients and the command line meet it: a real server, its development mailbox, and forged headers."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.kit.server import RunningServer, new_folder

EVIL = {
    "host": "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "forwarded": "host=evil.example",
    "origin": "https://evil.example",
}


def letters_to(server: RunningServer, email: str, count: int = 1) -> list[dict[str, Any]]:
    """What `headwater mail` shows of an address, once there are so many."""
    for _ in range(50):
        found = [letter for letter in json.loads(server.run("mail", "--json")) if email in letter["to"]]
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{count} letters to {email} never came")


def configure(server: RunningServer, **changes: object) -> None:
    with server.client(server.admin_key) as admin:
        admin.put("/api/auth/config", json=changes).raise_for_status()


def test_a_links_host_is_ours_whatever_the_request_says(server: RunningServer) -> None:
    server.sign_up("poisoned@example.com")
    configure(server, resetPasswordMethod="link")
    try:
        with server.client() as client:
            body = {"email": "poisoned@example.com", "redirectTo": f"{server.url}/done"}
            answer = client.post("/api/auth/email/send-reset-password", json=body, headers=EVIL)
            assert (answer.status_code, answer.json()["success"]) == (202, True)
            evil = client.post(
                "/api/auth/email/send-reset-password",
                json={**body, "redirectTo": "https://evil.example/"},
                headers=EVIL,
            )
            assert (evil.status_code, evil.json()["error"]) == (400, "INVALID_INPUT")
    finally:
        configure(server, resetPasswordMethod="code")
    (letter,) = letters_to(server, "poisoned@example.com")
    assert "evil" not in json.dumps(letter)
    (link,) = set(re.findall(r"http\S+?(?=[\s)])", letter["text"]))
    assert link.startswith(f"{server.url}/api/auth/email/reset-password-link?token=")
    landed = httpx.get(link, headers=EVIL)
    assert landed.status_code == 302
    assert landed.headers["location"].startswith(f"{server.url}/done?insforge_type=reset_password&token=")
    assert (landed.headers["referrer-policy"], landed.headers["cache-control"]) == ("no-referrer", "no-store")
    token = link.rpartition("=")[2]
    assert token not in server.log.read_text()


def test_the_mailbox_is_shown_for_people_too(server: RunningServer) -> None:
    with server.client() as client:
        client.post("/api/auth/email/send-otp", json={"email": "people@example.com"}).raise_for_status()
    letters_to(server, "people@example.com")
    told = server.run("mail")
    assert "to people@example.com" in told and "Your sign-in code" in told


def test_the_admins_pages_are_the_admins(server: RunningServer) -> None:
    token = server.sign_up("curious@example.com")
    for key, status in ((None, 401), (server.anon_key, 403), (token, 403)):
        with server.client(key) as client:
            for path in ("config", "smtp-config", "email-templates"):
                assert client.get(f"/api/auth/{path}").status_code == status
            assert client.put("/api/auth/email-templates/request-otp", json={}).status_code == status


def test_bad_input_names_its_field(server: RunningServer) -> None:
    table: list[tuple[str, str, dict[str, Any], str]] = [
        ("PUT", "config", {"passwordMinLength": 3}, "passwordMinLength"),
        ("PUT", "config", {"passwordMinLength": 129}, "passwordMinLength"),
        ("PUT", "config", {"verifyEmailMethod": "pigeon"}, "verifyEmailMethod"),
        ("PUT", "config", {"allowedRedirectUrls": ["https://a.example", "*"]}, "allowedRedirectUrls[1]"),
        ("PUT", "smtp-config", {"enabled": True, "host": "a", "port": 80}, "port"),
        ("PUT", "smtp-config", {"enabled": True, "host": "", "senderEmail": "a@b.cd"}, "host"),
        ("PUT", "smtp-config", {"enabled": True, "host": "a", "senderEmail": "x"}, "senderEmail"),
        ("PUT", "smtp-config", {"enabled": True, "host": "127.0.0.1", "port": 2525, "senderEmail": "a@b.cd"}, "host"),
        ("PUT", "email-templates/nonsense", {"subject": "a", "bodyHtml": "b"}, "templateType"),
        ("PUT", "email-templates/request-otp", {"subject": "a"}, "bodyHtml"),
        ("PUT", "email-templates/request-otp", {"subject": "a", "bodyHtml": "{{ token"}, "bodyHtml"),
        ("PUT", "email-templates/request-otp", {"subject": "{% x %}", "bodyHtml": "{{ token }}"}, "subject"),
        ("POST", "email/send-otp", {"email": "x"}, "email"),
        ("POST", "email/verify", {"email": "a@b.cd"}, "otp"),
        ("POST", "email/verify", {"email": "a@b.cd", "otp": "1" * 200}, "otp"),
        ("POST", "email/exchange-reset-password-token", {"email": "a@b.cd"}, "code"),
        ("POST", "email/reset-password", {"otp": "x"}, "newPassword"),
        ("POST", "sessions", {"email": "a@b.cd", "method": "otp"}, "otp"),
    ]
    with server.client(server.admin_key) as admin:
        for method, path, body, field in table:
            answer = admin.request(method, f"/api/auth/{path}", json=body)
            assert answer.status_code == 400, (path, body, answer.text)
            assert answer.json()["error"] == "INVALID_INPUT" and field in answer.json()["message"], answer.text
        for path in ("verify-link", "reset-password-link"):
            for query in ("", "?token=", f"?token={'0' * 64}", "?token=%00"):
                assert admin.get(f"/api/auth/email/{path}{query}").status_code == 400


def test_a_scanner_that_only_looks_uses_no_link_up(server: RunningServer) -> None:
    configure(server, verifyEmailMethod="link")
    try:
        server.sign_up("scanned@example.com")
        with server.client() as reader:
            asked = {"email": "scanned@example.com", "redirectTo": f"{server.url}/welcome"}
            assert reader.post("/api/auth/email/send-verification", json=asked).status_code == 202
            (letter,) = letters_to(server, "scanned@example.com")
            found = re.search(r"/api/auth/email/verify-link\?token=[0-9a-f]{64}", letter["text"])
            assert found is not None
            looked = [reader.head(found[0]) for _ in range(3)]
            followed = reader.get(found[0])
            late = reader.head(found[0])
    finally:
        configure(server, verifyEmailMethod="code")
    assert followed.status_code == 302
    assert "insforge_status=success" in followed.headers["location"]
    for each in looked:
        assert (each.status_code, each.headers["location"]) == (302, followed.headers["location"])
        assert each.content == b""
    assert "insforge_status=error" in late.headers["location"]


def test_letters_in_ones_own_words(server: RunningServer) -> None:
    token = server.sign_up("writer@example.com")
    body = {"to": ["reader@example.com"], "subject": "Hi", "html": "<b>Hi</b>", "from": "Writer"}
    for key, status in ((None, 401), (server.anon_key, 401), (token, 200)):
        with server.client(key) as client:
            answer = client.post("/api/email/send-raw", json=body)
            assert answer.status_code == status
            assert status == 200 or answer.json()["error"] == "AUTH_INVALID_CREDENTIALS"
    (letter,) = letters_to(server, "reader@example.com")
    assert letter["sender"].startswith("Writer <")
    with server.client(token) as client:
        assert client.post("/api/email/send-raw", json={**body, "to": ["x"] * 51}).status_code == 400


@pytest.fixture(scope="module")
def mute() -> Iterator[RunningServer]:
    """A server that sends nothing, and keeps the contract's own limits."""
    folder = new_folder()
    settings = {
        "HEADWATER_MAIL": "off",
        "HEADWATER_MAILING_GUESSES": "10",
        "HEADWATER_PUBLIC_URL": "https://auth.example.com/",
    }
    running = RunningServer(folder, settings)
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_without_a_provider_it_says_so(mute: RunningServer) -> None:
    with mute.client(mute.admin_key) as admin:
        for name in ("send-otp", "send-verification", "send-reset-password"):
            answer = admin.post(f"/api/auth/email/{name}", json={"email": "a@example.com"})
            assert (answer.status_code, answer.json()["error"]) == (503, "EMAIL_PROVIDER_NOT_CONFIGURED")
        letter = {"to": "a@example.com", "subject": "a", "html": "b"}
        assert admin.post("/api/email/send-raw", json=letter).status_code == 503
        assert admin.put("/api/auth/config", json={"requireEmailVerification": True}).status_code == 400
        own = {"email": "a@example.com", "redirectTo": "https://auth.example.com/x"}
        assert admin.post("/api/auth/email/send-otp", json=own).status_code == 503  # and not 400
    assert mute.run("mail").strip() == "no letters"


def test_guesses_are_bounded_over_http(mute: RunningServer) -> None:
    with mute.client() as client:
        body = {"email": "a@example.com", "otp": "000000"}
        statuses = [client.post("/api/auth/email/verify", json=body).status_code for _ in range(12)]
        assert statuses == [400] * 10 + [429] * 2
        refused = client.post("/api/auth/sessions", json={**body, "method": "otp"})
        assert (refused.status_code, refused.json()["error"]) == (429, "TOO_MANY_REQUESTS")
        assert 1 <= int(refused.headers["retry-after"]) <= 900
