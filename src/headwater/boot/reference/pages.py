"""The pages of docs/reference."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from headwater.boot.reference.declared import Field, fields, find_classes, summary, type_name
from headwater.boot.settings import variable_names
from headwater.kernel.component import Component, Endpoint
from headwater.kernel.errors import InternalError, Refusal
from headwater.kernel.models import Event, RawRequest

NOTICE = "Written from the declarations by `make docs`; a test keeps it current.\n"
STAGE_OF_STATUS = {
    401: "authenticate",
    403: "authorize",
    409: "transact",
    429: "limit",
    503: "transact",
    504: "transact",
}
STAGES = ("start and command line", "limit", "authenticate", "validate", "authorize", "transact", "respond")
"""The chapters of the errors: the pipeline's stages in their order, after what comes before any request."""


def write_reference(folder: Path, components: Sequence[Component]) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(components).items():
        (folder / name).write_text(text, encoding="utf-8")


def pages(components: Sequence[Component]) -> dict[str, str]:
    """File name and text of every page; the same text whenever the declarations are the same."""
    written = {
        "endpoints.md": ("Endpoints", _endpoints(components)),
        "settings.md": ("Settings", _settings()),
        "events.md": ("Events", _events()),
        "errors.md": ("Errors", _errors()),
        "jobs.md": ("Jobs, timers, followers and consumers", _jobs(components)),
    }
    return {name: "\n".join([f"# {title}", "", NOTICE, *lines, ""]) for name, (title, lines) in written.items()}


def _endpoints(components: Sequence[Component]) -> Iterator[str]:
    for component in components:
        if component.endpoints:
            yield from (f"## {component.name}", "", component.card, "")
        for endpoint in component.endpoints:
            yield f"### `{endpoint.method} {_served_at(component, endpoint)}`"
            yield from ("", summary(endpoint.operation), "")
            yield f"- for: {endpoint.access}"
            yield f"- transaction: {endpoint.transaction}"
            yield f"- answers: {endpoint.status}{_result(endpoint)}"
            yield from (f"- limit: {limit.count} in {limit.seconds:g} s by {limit.by}" for limit in endpoint.limits)
            if endpoint.local_only:
                yield "- from other machines: admin credentials only"
            yield from ("", *_body(endpoint))


def _served_at(component: Component, endpoint: Endpoint) -> str:
    is_platform = component.package.startswith("headwater.platform.")
    return endpoint.path if is_platform else f"/apps/{component.name}{endpoint.path}"


def _result(endpoint: Endpoint) -> str:
    return "" if endpoint.result is None else f", `{type_name(endpoint.result)}`"


def _body(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.body is not None and issubclass(endpoint.body, msgspec.Struct) and endpoint.body is not RawRequest:
        rows = [(f"`{f.wire}`", f.type, "required" if f.default is None else f"`{f.default}`", f.about)
                for f in fields(endpoint.body)]  # fmt: skip
        yield from _table(("field", "type", "default", ""), rows)


def _settings() -> Iterator[str]:
    for struct in find_classes(msgspec.Struct):
        if struct.__name__.endswith("Settings"):
            yield from (f"## {_room(struct)}", "", summary(struct), "")
            rows = [(_variables(struct, f), f.type, f"`{f.default}`" if f.default else "required", f.about)
                    for f in fields(struct)]  # fmt: skip
            yield from _table(("variable", "type", "default", ""), rows)


def _variables(struct: type, field: Field) -> str:
    return " or ".join(f"`{name}`" for name in variable_names(struct, field.name, field.annotation))


def _events() -> Iterator[str]:
    for room, events in groupby(find_classes(Event), _room):
        yield from (f"## {room}", "")
        for event in events:
            yield from (f"### `{event.__name__}`", "", summary(event), "")
            yield f"- {'durable: reaches every consumer at least once' if event.durable else 'told once'}"
            if "audience" in vars(event):
                yield f"- told to: {summary(event.audience)}, as `{event.wire_name or event.__name__}`"
            yield from ("", *_table(("field", "type", ""), [(f"`{f.wire}`", f.type, f.about) for f in fields(event)]))


def _errors() -> Iterator[str]:
    refusals = find_classes(Refusal)
    for chapter in (*STAGES, *sorted({_chapter(refusal) for refusal in refusals} - set(STAGES))):
        rows = [
            (str(r.status), f"`{r.code}`", _literal(r.sentence), summary(r))
            for r in sorted(refusals, key=lambda refusal: (refusal.status, refusal.code, refusal.__name__))
            if _chapter(r) == chapter
        ]
        if rows:
            yield from (f"## {chapter}", "", *_table(("status", "code", "sentence", "when"), rows))


def _chapter(refusal: type[Refusal]) -> str:
    """The stage that answers so, by its status; a component's refusals are its own."""
    floor, _, _ = _room(refusal).partition("/")
    if floor not in {"kernel", "flow", "boot"}:
        return _room(refusal)
    if refusal is InternalError:
        return "respond"
    if floor == "boot" or refusal.status == InternalError.status:
        return "start and command line"
    return STAGE_OF_STATUS.get(refusal.status, "validate")


def _jobs(components: Sequence[Component]) -> Iterator[str]:
    for component in components:
        rows = [
            *(
                (f"`{j.name}`", "job", f"{j.attempts} attempts of {j.timeout}", summary(j.operation))
                for j in component.jobs
            ),
            *((f"`{t.name}`", "timer", t.rhythm, summary(t.operation)) for t in component.timers),
            *(
                (f"`{f.name}`", "follower", f"of `{f.of}`, on every node", summary(f.operation))
                for f in component.followers
            ),
            *((f"`{c.name}`", "consumer", f"of `{c.of}`", summary(c.operation)) for c in component.consumers),
        ]
        if rows:
            yield from (f"## {component.name}", "", *_table(("name", "kind", "when", "what"), rows))


def _room(declared: type) -> str:
    """The component or kernel module that declares it: `platform/identity`, `kernel/database`."""
    return "/".join(declared.__module__.split(".")[1:3])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    written = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    if written:
        yield from (f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {row} |" for row in written), "")


def _literal(sentence: str) -> str:
    return f"`{sentence}`" if "{" in sentence else sentence
