"""Making a cluster and writing its configuration."""

from pathlib import Path

from headwater.kernel.database.embedded.account import Account, owner_of, run
from headwater.kernel.database.embedded.errors import (
    ClusterOfAnotherUser,
    NotACluster,
    PostgresFailed,
    WrongMajorVersion,
)
from headwater.kernel.database.embedded.files import write_whole
from headwater.kernel.database.embedded.models import MAJOR, SUPERUSER, Address, EmbeddedSettings, Site
from headwater.kernel.database.embedded.placement import make_room
from headwater.kernel.database.logins import Login

CONFIGURATION = "headwater.conf"


def is_made(cluster: Path) -> bool:
    """True for a cluster of our major version, False for nothing yet; NotACluster or WrongMajorVersion otherwise."""
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if cluster.exists() and any(cluster.iterdir()):
            raise NotACluster(cluster=cluster) from None
        return False
    except PermissionError:
        raise ClusterOfAnotherUser(folder=cluster, owner=owner_of(cluster)) from None
    if found != str(MAJOR):
        raise WrongMajorVersion(cluster=cluster, found=found, wanted=MAJOR)
    return True


async def make_cluster(cluster: Path, account: Account, binaries: Path) -> None:
    """Run initdb beside `cluster` and put the result there once it is complete and on disk.

    UTF-8 with the built-in C.UTF-8 collation, which no library update of the machine can change under an index.
    """
    building = make_room(cluster, account)
    status, said = await run(
        account,
        [
            *(binaries / "initdb", "--pgdata", building, "--username", SUPERUSER, "--no-instructions"),
            *("--auth-local=peer", "--auth-host=scram-sha-256", "--data-checksums", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
    )
    if status != 0:
        reason = said.splitlines()[-1] if said else f"initdb ended with {status}"
        raise PostgresFailed(reason=reason, log="nothing, it was initdb")
    building.rename(cluster)


def write_configuration(site: Site, settings: EmbeddedSettings) -> None:
    """Write our three files into the cluster, whole, at every start.

    The main one includes what initdb wrote, so nothing is edited; `alter system` still wins over both. The OS user
    `site.client` may log in as each of our logins, and nobody else as anyone.
    """
    files = {
        "pg_hba.conf": "local all all peer map=headwater\nlocal replication all peer map=headwater\n",
        "pg_ident.conf": _user_map(site.client),
        CONFIGURATION: _configuration(site.address, settings),
    }
    for name, text in files.items():
        write_whole(site.cluster / name, text, 0o600, site.account)


def _user_map(client: str) -> str:
    name = client.replace('"', '""')
    return "".join(f'headwater "{name}" "{login}"\n' for login in (SUPERUSER, *Login))


def _configuration(address: Address, settings: EmbeddedSettings) -> str:
    wanted = {
        "port": str(address.port),
        "max_connections": str(settings.max_connections),
        "shared_buffers": settings.shared_buffers,
        # a statement whose client is gone must not hold its locks until it is done
        "client_connection_check_interval": f"{round(settings.connection_check_seconds * 1000)}ms",
        "password_encryption": "scram-sha-256",
        "wal_level": "replica",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_destination": "stderr",
        # a refused statement is its sender's matter, may hold what nobody should read, and would fill the disk
        "log_min_messages": "log",
        "log_checkpoints": "off",
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in wanted.items()]
    return "# Written by Headwater at every start.\ninclude 'postgresql.conf'\n" + "".join(lines)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def postgres_command(site: Site) -> list[str]:
    """The command line of the server: what makes it ours, and no configuration may overrule."""
    fixed = {
        "config_file": site.cluster / CONFIGURATION,
        "hba_file": site.cluster / "pg_hba.conf",
        "ident_file": site.cluster / "pg_ident.conf",
        "listen_addresses": "",
        "unix_socket_directories": '"' + site.address.host.replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
    }
    command = [str(site.binaries / "postgres"), "-D", str(site.cluster)]
    for name, value in fixed.items():
        command += ["-c", f"{name}={value}"]
    return command
