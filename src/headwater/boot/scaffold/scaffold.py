"""Writes the folder of a new app from its template."""

import keyword
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import jinja2

from headwater.kernel.errors import Refusal

SUFFIX = ".jinja"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_NAME = 40
RESERVED = {
    "auth", "credits", "email", "functions", "headwater", "information_schema", "notifications", "public", "realtime",
    "schedules", "storage", "system",
}  # fmt: skip
"""Schemas and packages that are taken: an app's name is both."""


class BadName(Refusal):
    """The name cannot be an app's: it is a folder, a Python package, a Postgres schema and a part of URLs."""

    code = "BAD_APP_NAME"
    status = 400
    sentence = "{name!r} cannot name an app: use lower-case letters, digits and single underscores, as in meal_plans"


class FolderTaken(Refusal):
    """There is something at the place of the new app; nothing was written."""

    code = "APP_EXISTS"
    status = 409
    sentence = "{folder} exists already: choose another name, or remove it first"


def write_app(name: str, folder: Path) -> list[Path]:
    """Write the app `name` to `folder / name` and return the files written, in order of their paths.

    The app has one table, two endpoints, an event, a job and tests, passes every contract as it stands, and may be
    renamed by renaming its folder. Raises `BadName` and `FolderTaken`; nothing is written then.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name in RESERVED or _means_something_else(name):
        raise BadName(name=name)
    target = folder / name
    if target.exists():
        raise FolderTaken(folder=target)
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "type": name.title().replace("_", "")}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - writes Python and SQL, not HTML
    written: list[Path] = []
    for inside, template in sorted(_templates(files("headwater.boot.scaffold").joinpath("template"))):
        path = target / inside.removesuffix(SUFFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(environment.from_string(template).render(words), encoding="utf-8")
        written.append(path)
    return written


def _means_something_else(name: str) -> bool:
    return keyword.iskeyword(name) or name.startswith("pg_")


def _templates(folder: Traversable, inside: str = "") -> Iterator[tuple[str, str]]:
    """Path inside the template and text of every file of it."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry, f"{inside}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield inside + entry.name, entry.read_text(encoding="utf-8")
