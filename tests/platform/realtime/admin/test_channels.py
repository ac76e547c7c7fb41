"""Channels, as the admin makes, changes and ends them."""

from typing import Any

import pytest

from tests.kernel.waiting import until
from tests.platform.realtime.admin.conftest import Office
from tests.platform.realtime.conftest import Desk

NOBODY = "00000000-0000-4000-8000-000000000000"
ENDPOINTS = [
    ("GET", "/channels"),
    ("POST", "/channels"),
    ("GET", f"/channels/{NOBODY}"),
    ("PUT", f"/channels/{NOBODY}"),
    ("DELETE", f"/channels/{NOBODY}"),
    ("GET", "/permissions"),
    ("GET", "/messages"),
    ("DELETE", "/messages"),
    ("GET", "/messages/stats"),
    ("GET", "/config"),
    ("PATCH", "/config"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_strangers_and_users_are_not_let_in(office: Office, method: str, path: str) -> None:
    for token, status, code in (
        (None, 401, "AUTH_INVALID_CREDENTIALS"),
        ("nonsense", 401, "AUTH_UNAUTHORIZED"),
        ("anon", 403, "AUTH_UNAUTHORIZED"),
        ("user", 403, "AUTH_UNAUTHORIZED"),
    ):
        answer = await office.ask(method, path, {} if method in {"POST", "PUT", "PATCH"} else b"", token)
        assert (answer.status, answer.json()["error"]) == (status, code)


async def test_a_channel_is_made_and_told(office: Office) -> None:
    made = await office.channel("order:%", description="Orders", webhookUrls=["https://a.example/x"] * 2)
    assert made == {
        "id": made["id"],
        "pattern": "order:%",
        "description": "Orders",
        "webhookUrls": ["https://a.example/x"],
        "enabled": True,
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
    }
    plain = await office.channel("chat", enabled=False)
    assert (plain["description"], plain["webhookUrls"], plain["enabled"]) == (None, [], False)
    listed = (await office.ask("GET", "/channels")).json()
    assert {each["pattern"] for each in listed} == {"order:%", "chat", "news", "room:%"}
    assert [each["createdAt"] for each in listed] == sorted((each["createdAt"] for each in listed), reverse=True)
    assert (await office.ask("GET", f"/channels/{made['id']}")).json() == made


async def test_only_what_is_told_changes(office: Office) -> None:
    made = await office.channel("chat", description="Talk", webhookUrls=["https://a.example/"])
    path = f"/channels/{made['id']}"
    same = (await office.ask("PUT", path, {})).json()
    assert {**same, "updatedAt": None} == {**made, "updatedAt": None}
    changes: list[dict[str, Any]] = [
        {"enabled": False},
        {"description": "More"},
        {"description": None},
        {"webhookUrls": []},
        {"pattern": "chat:%"},
    ]
    expected = dict(made)
    for change in changes:
        answer = await office.ask("PUT", path, change)
        assert answer.status == 200, answer.body
        expected |= change
        assert {**answer.json(), "updatedAt": None} == {**expected, "updatedAt": None}


async def test_a_channel_ends_and_its_messages_stay(office: Office, desk: Desk) -> None:
    made = await office.channel("chat")
    await office.ask("POST", "/channels/chat/messages", {"eventName": "said"}, "user")
    assert (await office.messages())[0]["channelId"] == made["id"]
    answer = await office.ask("DELETE", f"/channels/{made['id']}")
    assert (answer.status, answer.json()) == (200, {"message": "Channel deleted"})
    assert [(each["channelId"], each["channelName"]) for each in await office.messages()] == [(None, "chat")]
    assert desk.directory.find("chat") is None
    for method in ("GET", "PUT", "DELETE"):
        refused = await office.ask(method, f"/channels/{made['id']}")
        assert refused.status == 404
        assert refused.json() == {
            "error": "REALTIME_CHANNEL_NOT_FOUND",
            "message": "Channel not found",
            "statusCode": 404,
        }


async def test_a_taken_pattern_is_told_with_what_to_do(office: Office) -> None:
    made = await office.channel("chat")
    other = await office.channel("talk")
    tries = [("POST", "/channels", {"pattern": "chat"}), ("PUT", f"/channels/{other['id']}", {"pattern": "chat"})]
    for method, path, body in tries:
        answer = await office.ask(method, path, body)
        assert (answer.status, answer.json()["error"]) == (409, "ALREADY_EXISTS")
        assert "chat" in answer.json()["message"]
        assert answer.json()["nextActions"]
    assert (await office.ask("PUT", f"/channels/{made['id']}", {"pattern": "chat"})).status == 200


@pytest.mark.parametrize(
    "pattern", ["%", "a_b", "a b", "a:", ":a", "%:a", "a::b", "ä", "a\n", "a.b", "*", "x" * 256, "a%", "a:%\n"]
)
async def test_what_is_no_pattern_is_refused(office: Office, pattern: str) -> None:
    known = await office.channel("chat")
    for method, path in (("POST", "/channels"), ("PUT", f"/channels/{known['id']}")):
        answer = await office.ask(method, path, {"pattern": pattern})
        assert (answer.status, answer.json()["error"]) == (400, "REALTIME_INVALID_CHANNEL_PATTERN")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "pattern"),
        ({"pattern": ""}, "pattern: Channel pattern is required"),
        ({"pattern": None}, "pattern: "),
        ({"pattern": 7}, "pattern: "),
        ({"pattern": "table:public-notes"}, "pattern: "),
        ({"pattern": "a", "enabled": "yes"}, "enabled: "),
        ({"pattern": "a", "description": 7}, "description: "),
        ({"pattern": "a", "webhookUrls": "https://a.example"}, "webhookUrls: "),
        ({"pattern": "a", "webhookUrls": ["https://a.example", "nonsense"]}, "webhookUrls.1: Invalid url"),
        ({"pattern": "a", "webhookUrls": ["ftp://a.example"]}, "webhookUrls.0: Invalid url"),
        ({"pattern": "a", "webhookUrls": ["https://user:secret@a.example"]}, "webhookUrls.0: Invalid url"),
        ({"pattern": "a", "webhookUrls": ["https://a.example:port/"]}, "webhookUrls.0: Invalid url"),
        ({"pattern": "a", "webhookUrls": ["https://a.example/\r\nX: y"]}, "webhookUrls.0: Invalid url"),
        ({"pattern": "a", "webhookUrls": [f"https://a.example/{n}" for n in range(21)]}, "webhookUrls: "),
    ],
)
async def test_a_bad_body_names_its_field(office: Office, body: dict[str, object], message: str) -> None:
    answer = await office.ask("POST", "/channels", body)
    assert (answer.status, answer.json()["error"]) == (400, "REALTIME_INVALID_CHANNEL_REQUEST")
    assert message in answer.json()["message"]
    assert "a" not in {each["pattern"] for each in (await office.ask("GET", "/channels")).json()}


async def test_an_id_that_is_none_is_named(office: Office) -> None:
    for method in ("GET", "DELETE"):
        answer = await office.ask(method, "/channels/nonsense")
        assert (answer.status, answer.json()["error"]) == (400, "REALTIME_INVALID_CHANNEL_REQUEST")
        assert answer.json()["message"].startswith("id: ")


async def test_every_node_knows_and_this_one_at_once(office: Office, desk: Desk, other: Desk) -> None:
    made = await office.channel("chat:%")
    assert desk.directory.find("chat:1") is not None
    await until(lambda: other.directory.find("chat:1"))
    await office.ask("PUT", f"/channels/{made['id']}", {"enabled": False})
    assert desk.directory.find("chat:1") is None
    await until(lambda: other.directory.find("chat:1") is None)
    await office.ask("PUT", f"/channels/{made['id']}", {"enabled": True, "pattern": "talk:%"})
    assert desk.directory.find("chat:1") is None
    assert desk.directory.find("talk:1") is not None
    await office.ask("DELETE", f"/channels/{made['id']}")
    assert desk.directory.find("talk:1") is None
    await until(lambda: other.directory.find("talk:1") is None)


async def test_changes_are_audited(office: Office) -> None:
    made = await office.channel("chat")
    await office.ask("PUT", f"/channels/{made['id']}", {"enabled": False})
    await office.ask("DELETE", f"/channels/{made['id']}")
    actions = await office.desk.say("select array_agg(action order by created_at, id) from system.audit_logs")
    assert sorted(actions) == ["REALTIME_CHANNEL_ADDED", "REALTIME_CHANNEL_CHANGED", "REALTIME_CHANNEL_REMOVED"]


async def test_permissions_are_the_policies(office: Office) -> None:
    none: dict[str, object] = {"policies": []}
    assert (await office.ask("GET", "/permissions")).json() == {"subscribe": none, "publish": none}
    await office.desk.say("""
        create policy own_rooms on realtime.channels for select to authenticated, anon
        using (realtime.channel_name() like 'room:%')
    """)
    await office.desk.say("create policy anybody on realtime.messages for insert with check (sender_type = 'user')")
    told = (await office.ask("GET", "/permissions")).json()
    (subscribe,) = told["subscribe"]["policies"]
    (publish,) = told["publish"]["policies"]
    assert set(subscribe) == {"policyName", "tableName", "command", "roles", "using", "withCheck"}
    assert (subscribe["policyName"], subscribe["tableName"], subscribe["command"]) == (
        "own_rooms",
        "channels",
        "SELECT",
    )
    assert set(subscribe["roles"]) == {"authenticated", "anon"}
    assert "channel_name()" in subscribe["using"]
    assert subscribe["withCheck"] is None
    assert (publish["command"], publish["roles"], publish["using"]) == ("INSERT", ["public"], None)
    assert "sender_type" in publish["withCheck"]
