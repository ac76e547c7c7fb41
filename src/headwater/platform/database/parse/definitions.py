"""The one statement that makes a function."""

from pglast import ast
from pglast.parser import ParseError

from headwater.platform.database.errors import InvalidDefinition
from headwater.platform.database.models import FunctionDefinition
from headwater.platform.database.parse.trees import cut_statements, tree_of


def parse_function(text: str) -> FunctionDefinition:
    """What a definition makes, if it is one `create function` or `create procedure`; raises `InvalidDefinition`."""
    try:
        statements = [tree_of(text[piece]) for piece in cut_statements(text)]
    except (ParseError, UnicodeEncodeError) as failure:
        raise InvalidDefinition(reason=str(failure.args[0])) from failure
    match statements:
        case [ast.CreateFunctionStmt(funcname=names)] if names and "\0" not in text:
            *schema, name = [str(part.sval) for part in names if isinstance(part, ast.String)]
            return FunctionDefinition(schema=schema[-1] if schema else "public", name=name, text=text)
        case _:
            raise InvalidDefinition(reason="must be one CREATE FUNCTION or CREATE PROCEDURE statement")
