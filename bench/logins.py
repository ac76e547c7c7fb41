"""Signing in, beside the password hash alone, and whether others wait meanwhile."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from statistics import median, quantiles

from bench.kit.load import Ask, burst, install_wrk, prepare
from bench.kit.machine import SERVER_CORE, pinned
from bench.kit.report import Promise, conclude, ratio
from bench.kit.scratch import scratch
from bench.kit.servers import Server, headwater
from bench.kit.todos import keys_of, sign_up

USERS = 32
ROUNDS = 7
SECONDS = 2
HEALTH_SECONDS = 6
_BARE = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from argon2.low_level import Type, hash_secret
def one(_):
    hash_secret(b"a long sentence 1", b"0123456789abcdef", 2, 19456, 1, 32, Type.ID)
end, done = time.perf_counter() + float(sys.argv[1]), 0
with ThreadPoolExecutor(int(sys.argv[2])) as hands:
    while time.perf_counter() < end:
        done += len(list(hands.map(one, range(8))))
print(done / float(sys.argv[1]))
"""
"""The hash and its cost are those of headwater.platform.identity (OWASP: Argon2id, 19 MiB, two passes)."""


def bare_hashes(hands: int) -> float:
    """Password hashes a second, on the server's core and with as many threads as the server has."""
    command = pinned([sys.executable, "-c", _BARE, str(SECONDS), str(hands)], SERVER_CORE)
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def health_latencies(server: Server, seconds: float) -> list[float]:
    """Milliseconds of `/health`, asked for without haste by one caller."""
    seen: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        with urllib.request.urlopen(f"{server.url}/health", timeout=10) as answer:
            answer.read()
        seen.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.01)
    return seen


def p99(latencies: list[float]) -> float:
    """The 99th percentile."""
    return quantiles(latencies, n=100)[98]


def main() -> int:
    """Logins and bare hashes in turns, then health with and without logins; 1 beyond a bar."""
    install_wrk()
    with scratch() as folder, headwater(folder) as server:
        sign_up(server, keys_of(folder)["anon_key"], USERS)
        logins = [
            Ask(
                "/api/auth/sessions?client_type=mobile",
                method="POST",
                body=json.dumps({"email": f"user{number}@example.com", "password": f"a long sentence {number}"}),
            )
            for number in range(USERS)
        ]
        requests = prepare(logins, folder)
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            ours.append(burst(server.url, requests, SECONDS).per_second)
            bare.append(bare_hashes(2))
        idle = health_latencies(server, HEALTH_SECONDS)
        load = threading.Thread(target=burst, args=(server.url, requests, HEALTH_SECONDS + 1))
        load.start()
        time.sleep(0.5)
        busy = health_latencies(server, HEALTH_SECONDS)
        load.join()
    print(f"logins {median(ours):.0f} a second, bare hashes {median(bare):.0f}; /health p99 {p99(idle):.2f} ms idle, ")
    print(f"{p99(busy):.2f} ms while 32 callers sign in")
    return conclude(
        "signing in",
        [
            Promise("logins, to bare Argon2id", ratio(ours, bare), 0.75, "×"),
            Promise("/health p99 under logins, to idle", p99(busy) / p99(idle), 15, "×", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
