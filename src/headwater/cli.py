"""The command line: serve, work, rest, jobs, migrate, keys, mail, backup, restore, doctor, app new, version."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from headwater import __version__

DATA = Annotated[Path, typer.Option("--data", help="The folder that holds everything.", envvar="HEADWATER_DATA")]
AS_JSON = Annotated[bool, typer.Option("--json", help="JSON on one line.")]
MEANT = Annotated[str | None, typer.Argument(metavar="ID|NAME", help="One by its id, or all of a job.")]
ALL = Annotated[bool, typer.Option("--all", help="Every one that is kept.")]
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
job_commands = typer.Typer(invoke_without_command=True)
app.add_typer(job_commands, name="jobs")
key_commands = typer.Typer(invoke_without_command=True)
app.add_typer(key_commands, name="keys")


@app.command(epilog="Example: headwater serve --port 7130 --data .headwater")
def serve(
    folder: DATA = DEFAULT_DATA,
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port [default: 7130].")] = None,
    root_app: Annotated[str | None, typer.Option(help="Serve this app's paths from the root too.")] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="Run jobs and timers too [default: yes].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many processes answer at the address [default: 1].")
    ] = None,
) -> None:
    """Start the server, and the database in the data folder unless HEADWATER_DATABASE_URL is set.

    Exit codes: 0 stopped as asked, 1 could not start (one sentence says why).
    """
    from headwater.boot.commands import serve_house

    _run(serve_house(folder, host, port, root_app, worker=worker, workers=workers))


@app.command("serve-member", hidden=True)
def serve_member(assignment: str) -> None:
    """Be one of the processes of `serve --workers`, which begins them."""
    from headwater.boot.commands import serve_as_member

    _run(serve_as_member(assignment))


@app.command(epilog="Example: headwater work --jobs storage.shrink_image,identity.remove_expired")
def work(
    folder: DATA = DEFAULT_DATA,
    jobs: Annotated[str, typer.Option(help="Only these jobs and timers, by name, with commas between.")] = "",
) -> None:
    """Run jobs and timers without serving requests, beside a server on the same database or alone.

    Asked to stop (SIGTERM), it finishes what runs and gives back the rest.

    Exit codes: 0 stopped as asked, 1 could not start (one sentence says why).
    """
    from headwater.boot.work import work_for_house

    _run(work_for_house(folder, [name.strip() for name in jobs.split(",") if name.strip()]))


@app.command(epilog="Example: PGRST_DB_URI=postgresql://authenticator@localhost/app headwater rest --port 3000")
def rest(
    file: Annotated[Path | None, typer.Argument(help="A PostgREST configuration file; variables win over it.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port [default: 3000].")] = None,
) -> None:
    """Serve the rows of any PostgreSQL as PostgREST does, set up by its PGRST_* variables; nothing is added to it.

    Exit codes: 0 stopped as asked, 1 could not start (one sentence says why).
    """
    from headwater.boot.rest import serve_records

    _run(serve_records(file, host, port))


@job_commands.callback(epilog="Example: headwater jobs --json")
def jobs(context: typer.Context, folder: DATA = DEFAULT_DATA, as_json: AS_JSON = False) -> None:
    """Show every job and timer: its state, its last and next run, and how many failures are kept.

    Exit codes: 0 shown, 1 not to be had, 2 shown, and a job has failed for good or a timer fails.
    """
    if context.invoked_subcommand is not None:
        return
    from headwater.boot.reports import told_overview
    from headwater.boot.work import read_jobs

    overview = _run(read_jobs(folder))
    _tell(overview, as_json=as_json, told=told_overview)
    if any(job.failures for job in overview.jobs) or any(timer.failures for timer in overview.timers):
        raise typer.Exit(UNHEALTHY)


@job_commands.command(epilog="Example: headwater jobs failures identity.send_letter --json")
def failures(
    job: Annotated[str | None, typer.Argument(help="Only those of this job.")] = None,
    folder: DATA = DEFAULT_DATA,
    as_json: AS_JSON = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest first.")] = 100,
) -> None:
    """List the jobs that failed for good: what they were called with, how often they were tried, and why they failed.

    Exit codes: 0 listed, 1 not to be had.
    """
    from headwater.boot.reports import told_failures
    from headwater.boot.work import read_failures

    _tell(_run(read_failures(folder, job, limit)), as_json=as_json, told=told_failures)


@job_commands.command(epilog="Example: headwater jobs retry identity.send_letter")
def retry(meant: MEANT = None, every: ALL = False, folder: DATA = DEFAULT_DATA) -> None:
    """Queue jobs that failed for good again, with all their attempts.

    Exit codes: 0 queued, 1 no such failure is kept.
    """
    from headwater.boot.work import retry_jobs

    retried = _run(retry_jobs(folder, meant, every=every))
    joined = f", {retried.joined} joined a job that waits under the same key" if retried.joined else ""
    typer.echo(f"{retried.queued} queued again{joined}")


@job_commands.command(epilog="Example: headwater jobs discard identity.send_letter")
def discard(meant: MEANT = None, every: ALL = False, folder: DATA = DEFAULT_DATA) -> None:
    """Remove jobs that failed for good, for ever.

    Exit codes: 0 removed, 1 no such failure is kept.
    """
    from headwater.boot.work import discard_jobs

    typer.echo(f"{_run(discard_jobs(folder, meant, every=every))} discarded")


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


@key_commands.callback(
    epilog="Example: headwater keys --json | python3 -c \"import json,sys; print(json.load(sys.stdin)['anon_key'])\""
)
def keys(
    context: typer.Context,
    folder: DATA = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Show where the server answers, the anon key for clients and the admin key for you alone.

    Exit codes: 0 shown, 1 not to be had.
    """
    if context.invoked_subcommand is not None:
        return
    from headwater.boot.commands import read_keys

    found = _run(read_keys(folder))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            typer.echo(f"{name:10} {value}")


@key_commands.command("rotate", epilog="Example: headwater keys rotate anon --grace 168")
def rotate_key(
    kind: Annotated[Literal["api", "anon", "signing"], typer.Argument(help="Which key.")],
    folder: DATA = DEFAULT_DATA,
    grace: Annotated[float, typer.Option(min=0, max=720, help="Hours that old keys stay good; 0 ends them now.")] = 24,
) -> None:
    """Make a new key, also while the server runs; `headwater keys` shows it.

    Exit codes: 0 made, 1 not, and the old one stays.
    """
    from headwater.boot.commands import rotate_key as rotate

    typer.echo(f"rotated; old ones are good until {_run(rotate(folder, kind, grace)):%Y-%m-%d %H:%M:%S} UTC")


@app.command(epilog="Example: headwater backup before-the-upgrade.backup --data .headwater")
def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to write it [default: a dated file, here].")] = None,
    folder: DATA = DEFAULT_DATA,
    listed: Annotated[bool, typer.Option("--list", help="Only list the backups that the server has made.")] = False,
) -> None:
    """Write everything in the database into one file, while the server runs or not.

    The encryption key is not in it: keep that in another place.

    Exit codes: 0 written, 1 not, and no file is left.
    """
    from headwater.boot.commands import back_up_database, list_backups

    if listed:
        with _told():
            for kept in list_backups(folder):
                typer.echo(f"{kept.made_at:%Y-%m-%d %H:%M:%S}  {kept.size:>12}  {kept.file}")
        return

    written = _run(back_up_database(folder, file))
    typer.echo(f"{written.file} ({written.size} bytes)")
    typer.echo(f"its secrets open with the key {written.key}, which is not in it: keep the key elsewhere", err=True)


@app.command(epilog="Example: headwater restore before-the-upgrade.backup --data .headwater-new")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `headwater backup` wrote.")],
    folder: DATA = DEFAULT_DATA,
    replace: Annotated[bool, typer.Option("--replace", help="Lose what is in the database now.")] = False,
    lose_secrets: Annotated[bool, typer.Option("--lose-secrets", help="Go on without the backup's key.")] = False,
) -> None:
    """Put a backup in the database's place, all of it or nothing; the server must be stopped.

    Exit codes: 0 restored, 1 refused or failed, and the database is as it was.
    """
    from headwater.boot.commands import restore_database

    lost = _run(restore_database(folder, file, replace=replace, lose_secrets=lose_secrets))
    typer.echo(f"restored {file}")
    if lost:
        typer.echo("its secrets are gone: the next start makes new keys, which `headwater keys` shows", err=True)


@app.command(epilog="Example: headwater mail --json --data .headwater")
def mail(
    folder: DATA = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array on one line.")] = False,
) -> None:
    """Show the letters of the last hour in the development mailbox, the oldest first.

    Exit codes: 0 shown, 1 not to be had.
    """
    import msgspec

    from headwater.boot.commands import read_mail

    letters = _run(read_mail(folder))
    if as_json:
        typer.echo(msgspec.json.encode(letters))
        return
    for letter in letters:
        typer.echo(f"{letter.received_at:%H:%M:%S}  to {', '.join(letter.to)}  from {letter.sender}")
        typer.echo(f"{letter.subject}\n\n{letter.text}")
    if not letters:
        typer.echo("no letters")


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


def _tell(found: Any, *, as_json: bool, told: Callable[[Any], Iterator[str]]) -> None:
    """Print what was found: as JSON on one line, or as people read it."""
    import msgspec

    if as_json:
        typer.echo(msgspec.json.encode(found))
        return
    for line in told(found):
        typer.echo(line)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command on uvloop; its refusals are told in one sentence."""
    with _told():
        if sys.platform == "win32":
            return asyncio.run(work)
        import uvloop

        return uvloop.run(work)
