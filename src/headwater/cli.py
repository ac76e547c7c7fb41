"""The command line: serve, migrate, keys, doctor, app new, version."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater import __version__

DATA = Annotated[Path, typer.Option("--data", help="The folder that holds everything.", envvar="HEADWATER_DATA")]
DEFAULT_DATA = Path(".headwater")
CHECKOUT_APPS = Path("src/headwater/apps")
FAILED = 1
UNHEALTHY = 2

app = typer.Typer(
    name="headwater",
    help="A self-hosted, real-time application backend: accounts, tables as a REST API, one command.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app_commands = typer.Typer(help="Write applications.", no_args_is_help=True)
app.add_typer(app_commands, name="app")


@app.command(epilog="Example: headwater serve --port 7130 --data .headwater")
def serve(
    folder: DATA = DEFAULT_DATA,
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port [default: 7130].")] = None,
    root_app: Annotated[str | None, typer.Option(help="Serve this app's paths from the root too.")] = None,
) -> None:
    """Start the server, and the database in the data folder unless HEADWATER_DATABASE_URL is set.

    Exit codes: 0 stopped as asked, 1 could not start (one sentence says why).
    """
    from headwater.boot.commands import serve_house

    _run(serve_house(folder, host, port, root_app))


@app.command(epilog="Example: headwater migrate --dry-run")
def migrate(
    folder: DATA = DEFAULT_DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try them, roll back, and name them.")] = False,
) -> None:
    """Apply the migrations that are not applied yet, and name them.

    Exit codes: 0 up to date now, 1 a migration failed and changed nothing.
    """
    from headwater.boot.commands import migrate_database

    applied = _run(migrate_database(folder, dry_run=dry_run))
    for migration in applied:
        typer.echo(f"{'would apply' if dry_run else 'applied'} {migration.component}/{migration.name}")
    if not applied:
        typer.echo("nothing to apply")


@app.command(
    epilog="Example: headwater keys --json | python3 -c \"import json,sys; print(json.load(sys.stdin)['anon_key'])\""
)
def keys(
    folder: DATA = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Show where the server answers, the anon key for clients and the admin key for you alone.

    Exit codes: 0 shown, 1 not to be had.
    """
    from headwater.boot.commands import read_keys

    found = _run(read_keys(folder))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            typer.echo(f"{name:10} {value}")


@app.command(epilog="Example: headwater doctor --data .headwater")
def doctor(folder: DATA = DEFAULT_DATA) -> None:
    """Look at everything a start needs, and say what to do about what is wrong.

    Exit codes: 0 all well, 2 something is not.
    """
    from headwater.boot.doctor import examine

    findings = _run(examine(folder))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.well else 'BAD '} {finding.what}: {finding.sentence}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(UNHEALTHY)


@app_commands.command("new", epilog="Example: headwater app new guestbook --folder src/headwater/apps")
def new_app(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and underscores.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to write the app's folder [default: the apps of this checkout, or here].")
    ] = None,
) -> None:
    """Write a small working app: one table, two endpoints, one event, one job, and its tests.

    Exit codes: 0 written, 1 the name or the folder will not do.
    """
    from headwater.boot.scaffold import write_app

    with _told():
        for path in write_app(name, folder or (CHECKOUT_APPS if CHECKOUT_APPS.parent.is_dir() else Path())):
            typer.echo(path)


@app.command()
def version() -> None:
    """Say which Headwater this is."""
    typer.echo(__version__)


def main() -> None:
    """Run the command that the arguments name."""
    app()


class _told:  # noqa: N801 - reads as a statement: `with _told():`
    """Turns a refusal into one sentence on standard error and exit code 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        from headwater.kernel.errors import Refusal

        if isinstance(failure, Refusal):
            typer.echo(f"headwater: {failure.message}", err=True)
            raise typer.Exit(FAILED) from failure
        if isinstance(failure, KeyboardInterrupt):
            raise typer.Exit(FAILED) from failure


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command on uvloop; its refusals are told in one sentence."""
    with _told():
        if sys.platform == "win32":
            return asyncio.run(work)
        import uvloop

        return uvloop.run(work)
