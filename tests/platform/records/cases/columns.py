"""Columns that are not there: the refusal tells the relation and a column like it (contract 1.3)."""

from tests.platform.records.cases.case import BACK, Case, refuses

LINES = "application/x-ndjson"


def unknown(target: str, column: str, near: str | None = None, method: str = "GET", **further: object) -> Case:
    """A request that names such a column, which is like `near`."""
    hint = None if near is None else f'Perhaps you meant to reference the column "{near}".'
    message = f"column {column} does not exist"
    return refuses(target, 400, "42703", method, message=message, hint=hint, details=None, **further)


CASES = (
    unknown("books?titel=eq.x", "books.titel", "books.title"),
    unknown("books?select=id,titel", "books.titel", "books.title"),
    unknown("books?select=id,x:titel::text", "books.titel", "books.title"),
    unknown("books?select=titel->a", "books.titel", "books.title"),
    unknown("books?order=titel.desc", "books.titel", "books.title"),
    unknown("books?or=(id.eq.1,and(titel.like.x,id.eq.2))", "books.titel", "books.title"),
    unknown("books?select=pagess.sum()", "books.pagess", "books.pages"),
    unknown("books?nothing=eq.x", "books.nothing"),
    unknown("books?select=r", "books.r"),
    unknown('odd%20names?select="a b c"', "odd names.a b c", "odd names.a b"),
    unknown("authors?select=name,books!books_author(titel)", "books.titel", "books.title"),
    unknown("authors?select=name,b:books!books_author(id)&b.titel=eq.x", "books.titel", "books.title"),
    unknown("authors?select=name,b:books!books_author(id)&b.order=titel", "books.titel", "books.title"),
    unknown("authors?select=name,books!books_author(id,genres(nam))", "genres.nam", "genres.name"),
    unknown("books?select=id,author:authors!books_author(name)&order=author(borm)", "authors.borm", "authors.born"),
    unknown("books?select=id,...authors!books_author(nam)", "authors.nam", "authors.name"),
    unknown("authors?select=name,edited(titel)", "books.titel", "books.title", name="a function in the place of a key"),
    unknown("modern_books?titel=eq.x", "modern_books.titel", "modern_books.title", name="a view"),
    unknown("books?titel=eq.x&select=count()", "books.titel", "books.title", prefer="count=exact"),
    unknown("books?titel=eq.x", "books.titel", "books.title", prefer="count=planned", name="estimated"),
    unknown("books?titel=eq.x", "books.titel", "books.title", accept=LINES, name="streamed"),
    unknown("books?titel=eq.x", "books.titel", "books.title", "HEAD"),
    unknown("notes?titel=eq.x", "notes.titel", "notes.title", "PATCH", sent={"rank": 1}),
    unknown("notes?select=titel", "notes.titel", "notes.title", "PATCH", sent={"rank": 1}, prefer=BACK),
    unknown("notes?titel=eq.x", "notes.titel", "notes.title", "DELETE"),
    unknown("notes?select=titel", "notes.titel", "notes.title", "POST", sent={"title": "a"}, prefer=BACK),
    unknown("lists?select=id,items(labl)", "items.labl", "items.label", "POST", sent={"id": 9}, prefer=BACK),
    unknown("rpc/by_author?of=1&titel=eq.x", "by_author.titel", "by_author.title"),
    unknown("rpc/squares?upto=2&select=sqare", "squares.sqare", "squares.square"),
    refuses("rpc/mistaken", 400, "42703", message="column r.idd does not exist", name="a function's own is its own"),
    refuses("notes?id=eq.1", 400, "PGRST204", "PATCH", sent={"titel": "x"}, name="a column that is written"),
    refuses(
        "words?on_conflict=wrod",
        400,
        "42703",
        "POST",
        sent={"word": "a"},
        prefer="resolution=merge-duplicates",
        message='column "wrod" does not exist',
    ),
)
