"""What the package declares, as people read it: classes found, types spelt out, fields explained."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pkgutil import walk_packages
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

import headwater

C = TypeVar("C")
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >=", "max_length": "length <="}


class Field(msgspec.Struct, frozen=True):
    """One field of a struct: `name` in the code, `wire` outside; `default` is None where it must be given."""

    name: str
    wire: str
    annotation: Any
    type: str
    default: str | None
    about: str


def find_classes(parent: type[C]) -> list[type[C]]:
    """Every public class of the package below `parent`, by module and then in the order of the file."""
    found: list[type[C]] = []
    for module in sorted(walk_packages(headwater.__path__, "headwater."), key=lambda module: module.name):
        if module.name.endswith("__main__") or ".tests" in module.name:
            continue
        classes = [value for value in vars(import_module(module.name)).values() if isinstance(value, type)]
        found += [told for told in classes if issubclass(told, parent) and _is_told_by(told, module.name)]
    return [told for told in found if told is not parent]


def fields(struct: type[msgspec.Struct]) -> Iterator[Field]:
    """The fields of a struct, in order."""
    told = _field_docstrings(struct)
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        yield Field(field.name, field.encode_name, hint, type_name(hint), _default(field), told.get(field.name, ""))


def type_name(annotation: Any) -> str:
    """A type as it would be written, with its bounds: `int >= 1`, `list[Note]`, `str or null`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return " ".join([type_name(arguments[0]), *(_bounds(extra) for extra in arguments[1:])]).strip()
    if origin in {Union, types.UnionType}:
        return " or ".join(type_name(argument) for argument in arguments)
    if origin is Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if annotation in {None, type(None)}:
        return "null"
    if origin is not None and arguments:
        inside = ", ".join("..." if argument is Ellipsis else type_name(argument) for argument in arguments)
        return f"{type_name(origin)}[{inside}]"
    return getattr(annotation, "__name__", str(annotation))


def summary(documented: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _is_told_by(value: type, module: str) -> bool:
    return value.__module__ == module and not value.__name__.startswith("_")


def _bounds(extra: object) -> str:
    if not isinstance(extra, msgspec.Meta):
        return ""
    told = [f"{word} {value}" for name, word in BOUNDS.items() if (value := getattr(extra, name)) is not None]
    return ", ".join([*told, *([f"like {extra.pattern}"] if extra.pattern else [])])


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    if field.default is not msgspec.NODEFAULT:
        return "unset" if field.default is msgspec.UNSET else _written(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return _written(field.default_factory())
    return None


def _written(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def _field_docstrings(struct: type) -> dict[str, str]:
    """The strings that stand below the fields in the source."""
    told: dict[str, str] = {}
    for parent in reversed(struct.__mro__[:-1]):
        if not parent.__module__.startswith("headwater."):
            continue
        [definition] = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        statements = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, below in pairwise(statements):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    told[name] = " ".join(text.split())
                case _:
                    pass
    return told
