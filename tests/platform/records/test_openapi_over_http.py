"""The descriptions as programs fetch them."""

from tests.kit.server import RunningServer


def test_the_root_describes_the_tables(server: RunningServer) -> None:
    server.sql("create table described (id int primary key, note text)")
    with server.client(server.anon_key) as client:
        answer = client.get("/rest/v1/", headers={"accept": "application/openapi+json"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
        assert set(answer.json()["paths"]["/described"]) == {"get", "post", "patch", "delete"}
        head = client.head("/rest/v1/")
        assert (head.status_code, head.content) == (200, b"")
        refused = client.get("/rest/v1/", headers={"accept": "text/csv"})
        assert (refused.status_code, refused.json()["code"]) == (406, "PGRST107")
        ours = client.get("/api/database/openapi.json").raise_for_status().json()
        assert "/records/described" in ours["paths"]
        assert client.get("/api/database/openapi.json", params={"schema": "system"}).status_code == 406
    server.sql("drop table described")
    with server.client(server.anon_key) as client:
        assert "/described" not in client.get("/rest/v1/").json()["paths"]


def test_strangers_are_told_nothing(server: RunningServer) -> None:
    with server.client() as client:
        assert client.get("/rest/v1/").status_code == 401
        assert client.get("/api/database/openapi.json").status_code == 401
