"""What lies in deploy/ fits the house: files parse, settings exist, queries ask for metrics that are told."""

import configparser
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from headwater.boot.components import find_components
from headwater.boot.reference.pages import pages
from headwater.kernel.observe import MetricsListener
from tests.kernel.observe.test_observer import one_of_each
from tests.kit.server import RunningServer, new_folder

DEPLOY = Path(__file__).parents[2] / "deploy"
METRIC = re.compile(r"\bheadwater_[a-z0-9_]+")
LABEL = re.compile(r"\b(headwater_[a-z0-9_]+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')
VARIABLE = re.compile(r"\bHEADWATER_[A-Z0-9_]+")
APP = "/apps/scoreboard/api"
CONSUMERS = ("count_hour", "tell_channel", "follow_lead", "tell_admins")
OF_PROMETHEUS = {"instance", "le"}
OF_BREAKDOWNS = {
    ("what", "postgres"),
    ("what", "redis"),
    ("status", "5.."),
    ("outcome", "CircuitOpen"),
    ("outcome", "failed"),
    ("final", "true"),
    ("from", "redis"),
    ("alert", "low_hit_rate"),
    ("alert", "high_memory"),
    ("alert", "slow_response"),
}
"""What a query waits for, and a house that is well does not tell."""
COMMANDS = {"HEADWATER_DATA"}
OF_THE_FILES = {"HEADWATER_ADMIN_KEY"}
"""What compose hands on under another name."""


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


def queries() -> dict[str, str]:
    """Every query of the rules and of the dashboard, by where it stands."""
    rules = {
        f"rule {rule['alert']}": rule["expr"]
        for group in read("prometheus/alerts.yml")["groups"]
        for rule in group["rules"]
    }
    board = json.loads((DEPLOY / "grafana/scoreboard.json").read_text("utf-8"))
    panels = {
        f"panel {panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel["targets"]
    }
    return rules | panels


def known_settings() -> set[str]:
    return set(VARIABLE.findall(pages(find_components())["settings.md"])) | COMMANDS


@pytest.fixture(scope="module")
def told() -> Iterator[str]:
    """What a running house answers a scrape, after a look at its health and a game with a forger."""
    folder = new_folder()
    server = RunningServer(folder, {"HEADWATER_CACHE_LEAST_LOOKUPS": "1", "HEADWATER_FLOW_LIMITS_FACTOR": "1"})
    try:
        with server.client(server.admin_key) as client:
            client.get("/api/metadata").raise_for_status()
            health = client.get("/health").json()
            assert {"database", "bus", "sockets", "external"} <= {part["name"] for part in health["parts"]}
            details = {part["name"]: part.get("detail") for part in health["parts"]}
            assert details["sockets"] == "0 open" and details["external"] == "no host is left alone"
            play(client)
            watch(client, server.sign_up("watcher@example.com"))
            consumers = (f'{{consumer="scoreboard.{name}"}}' for name in CONSUMERS)
            yield until_told(client, *consumers, "_job_seconds_count{", "_timer_lag_seconds{")
    finally:
        server.stop()
        shutil.rmtree(folder.parent, ignore_errors=True)


def play(client: httpx.Client) -> None:
    """Count an action, send it again, forge some, have one held, and go on for too long."""
    account = {"username": "cheater", "email": "cheater@example.com", "password": "correct horse"}
    registered = client.post(f"{APP}/auth/register", json=account).raise_for_status().json()
    player = {"authorization": f"Bearer {registered['data']['token']}"}

    def act() -> dict[str, Any]:
        action = client.post(f"{APP}/scoreboard/generate-action", json={"scoreIncrement": 10}, headers=player)
        return action.raise_for_status().json()["data"]

    def update(action: dict[str, Any]) -> int:
        return client.post(f"{APP}/scoreboard/update", json=action, headers=player).status_code

    first = act()
    assert [update(first), update(first)] == [200, 400]
    assert [update(act() | {"actionHash": "0" * 64}) for _ in range(4)] == [400] * 4
    assert update(act()) == 403, "held"
    assert [update(first) for _ in range(4)][-1] == 429
    client.get(f"{APP}/scoreboard").raise_for_status()


def watch(client: httpx.Client, token: str) -> None:
    """Open two sockets, say something, and close one of them."""
    for closes in (True, False):
        place = "/socket.io/?EIO=4&transport=polling"
        place += f"&sid={json.loads(client.get(place).text[1:])['sid']}"
        for packet in (f'40{{"token":"{token}"}}', '420["nobody declared it"]', *(["41"] if closes else [])):
            client.post(place, content=packet).raise_for_status()


def until_told(client: httpx.Client, *parts: str) -> str:
    """The metrics, once they hold all this."""
    end = time.monotonic() + 60
    while True:
        text = client.get("/metrics").text
        if all(part in text for part in parts):
            return text
        assert time.monotonic() < end, [part for part in parts if part not in text]
        time.sleep(0.1)


def families(text: str) -> set[str]:
    """Every name that a query may ask for."""
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        found.add(name)
        if kind in {"histogram", "summary"}:
            found |= {f"{name}_count", f"{name}_sum"} | ({f"{name}_bucket"} if kind == "histogram" else set[str]())
    return found


def test_every_metric_of_every_query_is_told_by_a_running_house(told: str) -> None:
    missing = {place: set(METRIC.findall(query)) - families(told) for place, query in queries().items()}
    assert {place: names for place, names in missing.items() if names} == {}


def samples(text: str) -> list[tuple[str, dict[str, str]]]:
    """Every sample of a scrape: its name and its labels."""
    found = text_string_to_metric_families(text)
    return [(sample.name, sample.labels) for family in found for sample in family.samples]


def test_every_label_that_a_query_names_is_told_by_a_running_house(told: str) -> None:
    """With its value; what only a breakdown shows is told by the listener with the same labels, at least."""
    there = samples(told)
    listener = MetricsListener()
    for observation in one_of_each():
        listener(observation)
    possible = there + samples(listener.render().decode())
    missing: list[str] = []
    for place, query in queries().items():
        for metric, matchers in LABEL.findall(query):
            for label, operator, values in MATCHER.findall(matchers):
                known = {labels[label] for name, labels in there if name == metric and label in labels}
                wanted = values.split("|") if operator == "=~" and "(" not in values else [values]
                unseen = [
                    value
                    for value in wanted
                    if not any(re.fullmatch(value, one) for one in known) and (label, value) not in OF_BREAKDOWNS
                ]
                missing += [f"{place}: {metric}{{{label}={value}}}" for value in unseen]
                if not any(name == metric and label in labels for name, labels in possible):
                    missing.append(f"{place}: {metric} has no label {label}")
        names = set(METRIC.findall(query))
        labels = {label for name, labels in possible if name in names for label in labels} | OF_PROMETHEUS
        for grouped in re.findall(r"\bby \(([^)]*)\)", query):
            missing += [f"{place}: by {label}" for label in grouped.split(", ") if label not in labels]
    assert missing == []


def test_the_dashboard_shows_what_the_scoreboard_tells(told: str) -> None:
    asked = " ".join(queries().values())
    for part in (
        'code="ACTION_HELD"',
        'consumer="scoreboard.tell_admins"',
        "headwater_rank_entries",
        "headwater_sockets",
    ):
        assert part in asked
    assert 'headwater_rank_entries{board="default"}' in told
    board = json.loads((DEPLOY / "grafana/scoreboard.json").read_text("utf-8"))
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
    assert len(set(places)) == len({panel["id"] for panel in board["panels"]}) == len(places)


def test_the_house_was_warm_before_it_was_ready(told: str) -> None:
    items = re.search(r"^headwater_cache_warmed_items (\S+)$", told, re.MULTILINE)
    assert items is not None and float(items[1]) >= 1
    assert "headwater_cache_warming_failures_total 0.0" in told


def test_a_query_for_what_nobody_tells_is_found(told: str) -> None:
    assert set(METRIC.findall("rate(headwater_made_up_total[5m])")) - families(told) == {"headwater_made_up_total"}


def test_every_alert_says_how_urgent_it_is_and_what_it_means() -> None:
    rules = [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in rules)
    page = (DEPLOY.parent / "docs/howto/monitor.md").read_text("utf-8")
    assert [rule["alert"] for rule in rules if f"| `{rule['alert']}` " not in page] == []


def test_alerts_reach_somebody() -> None:
    told = read("alertmanager/alertmanager.yml")
    receivers = {receiver["name"]: set(receiver) for receiver in told["receivers"]}
    used = {told["route"]["receiver"], *(route["receiver"] for route in told["route"]["routes"])}
    assert used == set(receivers) == {"developers", "on-call"}
    assert {"email_configs", "slack_configs"} <= receivers["developers"] and "pagerduty_configs" in receivers["on-call"]


def test_every_setting_that_is_named_exists() -> None:
    named = {
        path.relative_to(DEPLOY).as_posix(): set(VARIABLE.findall(path.read_text("utf-8")))
        for path in DEPLOY.rglob("*")
        if path.is_file()
    }
    unknown = {path: names - known_settings() - OF_THE_FILES for path, names in named.items()}
    assert {path: names for path, names in unknown.items() if names} == {}


def test_the_services_fit_together() -> None:
    composed = read("compose.yaml")
    services = composed["services"]
    assert {"headwater", "postgres", "redis", "prometheus", "grafana", "nginx"} <= set(services)
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for waited in service.get("depends_on", {}):
            assert "healthcheck" in services[waited] or waited == "headwater", f"{waited} says nothing of its health"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in composed["volumes"], source
        assert set(service.get("secrets", [])) <= set(composed["secrets"]), name
    assert (DEPLOY.parent / services["headwater"]["build"]["dockerfile"]).exists()
    asked = set(re.findall(r"\$\{(\w+):\?\}", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert asked == set(re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text("utf-8"), re.MULTILINE))
    targets = read("prometheus/prometheus.yml")
    assert targets["scrape_configs"][0]["dns_sd_configs"][0]["names"] == ["headwater"]
    trusted = services["headwater"]["environment"]["HEADWATER_FLOW_TRUSTED_PROXIES"]
    assert composed["networks"]["inner"]["ipam"]["config"] == [{"subnet": trusted}]


@pytest.mark.parametrize("name", ["compose.conf", "headwater.conf"])
def test_nginx_shows_nobody_the_metrics_and_lets_sockets_through(name: str) -> None:
    text = (DEPLOY / "nginx" / name).read_text("utf-8")
    assert re.search(r"location = /metrics \{\s*return 404;", text)
    assert text.count("{") == text.count("}")
    shared = (DEPLOY / "nginx/proxy.conf").read_text("utf-8")
    assert "proxy_set_header Upgrade $http_upgrade;" in shared
    assert "X-Forwarded-For $remote_addr;" in shared, "what the caller says of himself is not believed"


@pytest.mark.needs("nginx", "openssl")
@pytest.mark.parametrize("name", ["compose.conf", "headwater.conf"])
def test_nginx_understands_its_files(name: str, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ("req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test", "-keyout", key, "-out", certificate)
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    site = (DEPLOY / "nginx" / name).read_text("utf-8")
    site = re.sub(r"/etc/letsencrypt\S+fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt\S+privkey.pem", str(key), site)
    site = site.replace("/etc/nginx/proxy.conf", str(DEPLOY / "nginx/proxy.conf"))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{site}\n}}\n")
    checked = subprocess.run(["nginx", "-t", "-p", tmp_path, "-c", whole], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_unit_starts_the_command_as_nobody_in_particular(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read(DEPLOY / "systemd/headwater.service")
    service = unit["Service"]
    assert service["User"] == "headwater" and service["NoNewPrivileges"] == "yes"
    assert service["ExecStart"].split()[1:3] == ["serve", "--data"]
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    text = (
        (DEPLOY / "systemd/headwater.service").read_text("utf-8").replace("/opt/headwater/bin/headwater", "/bin/true")
    )
    copy = tmp_path / "headwater.service"
    copy.write_text(text.replace("User=headwater", "User=root").replace("Group=headwater", "Group=root"))
    checked = subprocess.run([verify, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert f"{copy.name}:" not in checked.stderr, checked.stderr
