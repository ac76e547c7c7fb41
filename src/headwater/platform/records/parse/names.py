"""Names of columns, paths into their JSON, paths to embedded relations."""

import re

from headwater.platform.records.models import Field, PathStep, ResourcePath
from headwater.platform.records.parse.scanner import Scanner

_INDEX = re.compile(r"-?[0-9]{1,9}(?=\Z|->|::|[.,)])")
_JSON_KEY = re.compile(r"[^(\-:).,>\"](?:[^(\-:).,>]|-(?!>))*|-(?!>)(?:[^(\-:).,>]|-(?!>))+")


def read_field(scanner: Scanner) -> Field:
    """`column->key->>key`."""
    return Field(scanner.name(), read_json_path(scanner))


def read_json_path(scanner: Scanner) -> tuple[PathStep, ...]:
    """Any number of arrows and the keys after them."""
    steps: list[PathStep] = []
    while scanner.took("->"):
        as_text = scanner.took(">")
        if scanner.looks_at('"'):
            steps.append(PathStep(scanner.quoted(), as_text))
        elif index := scanner.match(_INDEX):
            steps.append(PathStep(index[0], as_text, index=True))
        elif key := scanner.match(_JSON_KEY):
            steps.append(PathStep(key[0], as_text))
        else:
            scanner.fail("JSON key")
    return tuple(steps)


def parse_key(key: str) -> tuple[ResourcePath, Field]:
    """The relation and the field that a query parameter's key names: `relation.relation.column->key`."""
    scanner = Scanner(key, "tree path")
    names = [scanner.name()]
    while scanner.took("."):
        names.append(scanner.name())
    path = read_json_path(scanner)
    scanner.end()
    return tuple(names[:-1]), Field(names[-1], path)


def parse_resource_path(key: str) -> ResourcePath:
    """The relation that a key such as `relation.relation.order` speaks of, without the last word."""
    scanner = Scanner(key, "tree path")
    names: list[str] = []
    while not scanner.at_end():
        names.append(scanner.name())
        if not scanner.at_end():
            scanner.take(".")
    return tuple(names[:-1])


def parse_names(text: str, what: str) -> tuple[str, ...]:
    """A list of names with commas between them, each once; empty for an empty text."""
    scanner = Scanner(text, what)
    names: list[str] = []
    while not scanner.at_end():
        scanner.skip_space()
        names.append(scanner.name())
        scanner.skip_space()
        if not scanner.at_end():
            scanner.take(",")
    return tuple(dict.fromkeys(names))
