"""Filters, orders and windows inside embeds, and by embeds (contract 1.2 to 1.4)."""

from tests.platform.records.cases.case import get, refuses

CASES = (
    # Filters inside.
    get("countries?select=name,authors(name)&authors.born=gt.1900&order=id", [
        {"name": "Norway", "authors": [{"name": "Dan"}]}, {"name": "Peru", "authors": [{"name": "Bob"}]},
        {"name": "Chad", "authors": []}]),
    get("countries?select=name,authors!inner(name)&authors.born=gt.1960",
        [{"name": "Norway", "authors": [{"name": "Dan"}]}]),
    get("authors?select=name,countries(name)&countries.name=eq.Peru&order=id", [
        {"name": "Ann", "countries": None}, {"name": "Bob", "countries": {"name": "Peru"}},
        {"name": "Cleo", "countries": None},
        {"name": "Dan", "countries": None}]),
    get("authors?select=name,countries!inner(name)&countries.name=eq.Peru",
        [{"name": "Bob", "countries": {"name": "Peru"}}]),
    get("countries?select=id,a:authors(id)&a.name=eq.Dan&id=eq.1", [{"id": 1, "a": [{"id": 4}]}], name="by the alias"),
    get("countries?select=id,authors(id)&authors.or=(name.eq.Dan,born.lt.1900)&id=eq.1&authors.order=id", [
        {"id": 1, "authors": [{"id": 1}, {"id": 4}]}]),
    get("countries?select=id,authors(id)&authors.not.or=(name.eq.Dan,born.eq.1)&id=eq.1",
        [{"id": 1, "authors": [{"id": 1}]}]),
    get("countries?select=id,authors(id)&authors.and=(born.gt.1900,born.lt.1960)&id=lt.3&order=id", [
        {"id": 1, "authors": []}, {"id": 2, "authors": [{"id": 2}]}]),
    get("countries?select=id,authors(id,books!books_author(id))&authors.books.year=gt.1900&id=eq.1&authors.order=id", [
        {"id": 1, "authors": [{"id": 1, "books": [{"id": 2}]}, {"id": 4, "books": []}]}], name="two levels down"),
    get("countries?select=id,authors!inner(id,books!books_author!inner(id))&authors.books.title=eq.Bees", [
        {"id": 1, "authors": [{"id": 1, "books": [{"id": 2}]}]}], name="inner at both levels"),
    get("books?select=id,genres(name)&genres.name=like.N*&order=id&id=lt.4", [
        {"id": 1, "genres": []}, {"id": 2, "genres": [{"name": "Nature"}]}, {"id": 3, "genres": [{"name": "Nature"}]}]),
    get("authors?select=name,...countries(country:name)&countries.name=eq.Norway&order=id&id=lt.3", [
        {"name": "Ann", "country": "Norway"}, {"name": "Bob", "country": None}], name="a spread's filter"),
    get("countries?select=id,a:authors(id,b:books!books_author(id))&a.b.title=eq.Ada&a.id=eq.1&id=eq.1",
        [{"id": 1, "a": [{"id": 1, "b": [{"id": 1}]}]}], name="two aliases down"),
    get("countries?select=id,a:authors(id,b:books!books_author!inner())&a.b.year=gt.2000&id=lt.3&order=id",
        [{"id": 1, "a": []}, {"id": 2, "a": [{"id": 2}]}], name="an inner embed inside, of which nothing is shown"),
    get("books?select=id,authors!books_author()&authors.born=lt.1900&authors=not.is.null&order=id",
        [{"id": 1}, {"id": 2}]),
    # By whether there is something.
    get("countries?select=id,authors()&authors=is.null", [{"id": 3}]),
    get("countries?select=id,authors()&authors=not.is.null&order=id", [{"id": 1}, {"id": 2}]),
    get("countries?select=id,authors(name)&authors=is.null", [{"id": 3, "authors": []}]),
    get("authors?select=id,countries()&countries=is.null", [{"id": 3}]),
    get("authors?select=id,countries()&countries=not.is.null&order=id", [{"id": 1}, {"id": 2}, {"id": 4}]),
    get("countries?select=id,authors()&authors.name=eq.Dan&authors=not.is.null", [{"id": 1}]),
    get("countries?select=id,authors()&authors.name=eq.Dan&authors=is.null&order=id", [{"id": 2}, {"id": 3}]),
    get("countries?select=id,a:authors()&a=is.null", [{"id": 3}]),
    get("authors?select=id,countries(),profiles()&or=(countries.is.null,profiles.not.is.null)&order=id",
        [{"id": 1}, {"id": 3}]),
    get("authors?select=id,countries(),profiles()&and=(countries.not.is.null,profiles.is.null)&order=id",
        [{"id": 2}, {"id": 4}]),
    get("authors?select=id,profiles()&or=(profiles.is.null,name.eq.Ann)&order=id", [{"id": 1}, {"id": 2}, {"id": 4}]),
    get("authors?select=id,b:books!books_author()&b=is.null", [{"id": 4}]),
    get("authors?select=id,newest_book()&newest_book=is.null", [{"id": 4}]),
    get("books?select=id,genres()&genres=is.null", [{"id": 4}]),
    get("books?select=id,loans()&loans=not.is.null&order=id", [{"id": 1}, {"id": 2}],
        name="only what policies show counts"),
    get("books?select=id,loans()&loans=not.is.null", [{"id": 1}], who="two"),
    refuses("countries?select=id,authors()&authors=eq.1", 400, "PGRST120",
            message="Bad operator on the 'authors' embedded resource"),
    refuses("countries?select=id,authors()&authors=is.true", 400, "PGRST120"),
    refuses("countries?select=id&authors.name=eq.Dan", 400, "PGRST108",
            message="'authors' is not an embedded resource in this request"),
    refuses("countries?select=id&authors.order=id", 400, "PGRST108"),
    refuses("countries?select=id&authors.limit=1", 400, "PGRST108"),
    refuses("countries?select=id&authors.or=(id.eq.1,id.eq.2)", 400, "PGRST108"),
    refuses("countries?select=id,authors(id)&authors.books.id=eq.1", 400, "PGRST108"),
    refuses("countries?select=id,authors(id)&authors.absent=eq.1", 400, "42703"),
    # Orders and windows inside.
    get("countries?select=id,authors(name)&authors.order=name.desc&id=eq.1",
        [{"id": 1, "authors": [{"name": "Dan"}, {"name": "Ann"}]}]),
    get("countries?select=id,authors(name)&authors.order=name&authors.limit=1&id=eq.1",
        [{"id": 1, "authors": [{"name": "Ann"}]}]),
    get("countries?select=id,authors(name)&authors.order=name&authors.limit=1&authors.offset=1&id=eq.1", [
        {"id": 1, "authors": [{"name": "Dan"}]}]),
    get("countries?select=id,authors(name)&authors.order=name&authors.offset=1&order=id", [
        {"id": 1, "authors": [{"name": "Dan"}]}, {"id": 2, "authors": []}, {"id": 3, "authors": []}]),
    get("countries?select=id,authors(name)&authors.limit=0&id=eq.1", [{"id": 1, "authors": []}]),
    get("countries?select=id,authors(id,books!books_author(id))&authors.books.order=id.desc"
        "&authors.books.limit=1&authors.order=id&id=eq.1", [
        {"id": 1, "authors": [{"id": 1, "books": [{"id": 2}]}, {"id": 4, "books": []}]}]),
    get("countries?select=id,a:authors(name)&a.order=name.desc&a.limit=1&id=eq.1", [{"id": 1, "a": [{"name": "Dan"}]}]),
    get("books?select=id,genres(name)&genres.order=name&id=eq.2",
        [{"id": 2, "genres": [{"name": "Nature"}, {"name": "Science"}]}]),
    get("countries?select=id,...authors(names:name)&authors.order=name.desc&authors.limit=1&id=eq.1",
        [{"id": 1, "names": ["Dan"]}]),
    # Ordered by what is embedded.
    get("authors?select=id,countries(name)&order=countries(name).desc.nullslast,id", [
        {"id": 2, "countries": {"name": "Peru"}}, {"id": 1, "countries": {"name": "Norway"}},
        {"id": 4, "countries": {"name": "Norway"}}, {"id": 3, "countries": None}]),
    get("authors?select=id,countries()&order=countries(name).nullsfirst,id.desc",
        [{"id": 3}, {"id": 4}, {"id": 1}, {"id": 2}]),
    get("authors?select=id,c:countries()&order=c(name).desc.nullslast,id.desc",
        [{"id": 2}, {"id": 4}, {"id": 1}, {"id": 3}]),
    get("authors?select=id,profiles()&order=profiles(bio).nullslast,id", [{"id": 3}, {"id": 1}, {"id": 2}, {"id": 4}]),
    get("copies?select=id,books(authors!books_author(name))&books.order=authors(name)&id=eq.1", [
        {"id": 1, "books": {"authors": {"name": "Ann"}}}]),
    get("countries?select=id,authors(id,profiles())&authors.order=profiles(bio).nullsfirst&id=eq.1", [
        {"id": 1, "authors": [{"id": 4}, {"id": 1}]}], name="inside an embed by what it embeds"),
    refuses("countries?select=id,authors(name)&order=authors(name)", 400, "PGRST118",
            message="A related order on 'authors' is not possible"),
    refuses("countries?select=id&order=authors(name)", 400, "PGRST108"),
    # Counted over what inner embeds leave.
    get("countries?select=id,authors!inner()&limit=1&order=id", [{"id": 1}], 206, prefer="count=exact",
        told={"Content-Range": "0-0/2"}, name="an inner embed is counted"),
    get("countries?select=id,authors()&authors=is.null", [{"id": 3}], prefer="count=exact",
        told={"Content-Range": "0-0/1"},
        name="a null embed is counted"),
    get("countries?select=id,authors!inner()&authors.name=eq.Nobody", [], prefer="count=exact",
        told={"Content-Range": "*/0"}),
    get("countries?select=id,authors!inner(id)&authors.order=id&order=id&offset=1", [{"id": 2, "authors": [{"id": 2}]}],
        206,
        prefer="count=exact", told={"Content-Range": "1-1/2"}),
)  # fmt: skip
