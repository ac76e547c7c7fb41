"""What PostgREST refuses of reads: distinct, having, orders by aggregates, filters by the number of related rows."""

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import ANYTHING, Text, case, get, post, refuses

OFF = RecordsSettings(aggregates=False)
FORM = "application/x-www-form-urlencoded"
FORMATS = [{"format": "paper"}, {"format": "sound"}, {"format": "screen"}, {"format": None}]
# Formats are paper, sound, paper, screen, null; authors 1, 1, 2, 3, null; years 1843, 1999, 2005, 2011, 2020.
CASES = (
    # Distinct: what is told alike is told once.
    get("books?select=format&distinct=(*)&order=format", FORMATS),
    get("books?select=format&distinct=(*)&order=format.desc.nullslast&limit=2",
        [{"format": "screen"}, {"format": "sound"}]),
    get("books?select=form:format&distinct=(*)&order=format&offset=2", [{"form": "screen"}, {"form": None}]),
    get("books?select=format&distinct=(*)&order=format&limit=3", FORMATS[:3], 206, prefer="count=exact",
        told={"Content-Range": "0-2/4"}),
    get("books?select=format&distinct=(*)&order=format&id=gt.2", [{"format": "paper"}, *FORMATS[2:]],
        prefer="count=exact", told={"Content-Range": "0-2/3"}, name="distinct of what the filters let through"),
    case("distinct, counted without rows", "HEAD", "books?select=format&distinct=(*)&limit=1", 206, ANYTHING,
        prefer="count=exact", told={"Content-Range": "0-0/4"}),
    get("book_genres?select=genre_id,weight->x&distinct=(*)&order=genre_id", [
        {"genre_id": 1, "x": None}, {"genre_id": 2, "x": None}], name="distinct with what lies in JSON"),
    get("things?select=raw&distinct=(*)&id=eq.2", [{"raw": [1, 2]}], name="distinct json"),
    get("things?select=raw,count()&id=eq.1", [{"raw": {"r": 1}, "count": 1}], name="groups of json"),
    get("copies?distinct=(*)&select=*&id=eq.1", [{"id": 1, "book_id": 1, "room": "A", "number": 1}],
        name="distinct of every column"),
    case("distinct of columns of every sort", "GET", "things?distinct=(*)", 200, ANYTHING),
    get("loose?select=*&distinct=(*)&order=n", [{"note": "l", "n": 1}, {"note": "m", "n": 2}]),
    get("paints?select=shade&distinct=(*)&id=eq.1", [{"shade": "#ff0000"}], name="distinct forms of domains"),
    get("books?select=...authors!books_author(country_id)&distinct=(*)&id=lt.3", [{"country_id": 1}],
        name="distinct of what a spread lifts"),
    get("books?select=pages,...authors!books_author(n:name),format&distinct=(*)&order=format.desc,pages&id=lt.4", [
        {"pages": 200, "n": "Ann", "format": "sound"}, {"pages": 100, "n": "Ann", "format": "paper"},
        {"pages": 300, "n": "Bob", "format": "paper"}], name="an order of distinct rows beside a spread"),
    get("books?select=genres(name)&distinct=(*)&id=in.(3,5)&genres.order=name", [{"genres": [{"name": "Nature"}]}],
        name="distinct with embeds"),
    get("books?select=facts->old&distinct=(*)&order=facts->old", [{"old": False}, {"old": True}]),
    get("books?select=n:count()&distinct=(*)&order=count()", [{"n": 5}], name="distinct groups"),
    get("books?select=format,count()&distinct=(*)&order=count().desc,format&limit=1", [
        {"format": "paper", "count": 2}]),
    get("countries?select=id,authors(country_id)&authors.distinct=(*)&order=id", [
        {"id": 1, "authors": [{"country_id": 1}]}, {"id": 2, "authors": [{"country_id": 2}]},
        {"id": 3, "authors": []}], name="distinct inside an embed"),
    get("genres?select=id,books(format)&books.distinct=(*)&books.order=format&books.limit=1&order=id", [
        {"id": 1, "books": [{"format": "paper"}]}, {"id": 2, "books": [{"format": "paper"}]},
        {"id": 3, "books": []}], name="a page of distinct rows inside an embed"),
    post("rpc/by_author?select=author_id&distinct=(*)", {"of": 1}, 200, [{"author_id": 1}]),
    post("rpc/numbers?distinct=(*)&order=pgrst_scalar.desc", {"upto": 2}, 200, [2, 1]),
    # Distinct by columns: the first of each, in the order of all.
    get("books?select=id,format&distinct=(format)&order=year.desc", [
        {"id": 5, "format": None}, {"id": 4, "format": "screen"}, {"id": 3, "format": "paper"},
        {"id": 2, "format": "sound"}]),
    get("books?select=id&distinct=(format)&order=year", [{"id": 1}, {"id": 2}, {"id": 4}, {"id": 5}]),
    get("books?select=id&distinct=(format)&order=year&limit=2&offset=1", [{"id": 2}, {"id": 4}], 206,
        prefer="count=exact", told={"Content-Range": "1-2/4"}),
    get("books?select=id&distinct=(format, author_id)&order=id&id=lt.4", [{"id": 1}, {"id": 2}, {"id": 3}]),
    get("shelves?select=*&distinct=(room)&order=number.desc&limit=1", [{"room": "A", "number": 2, "wood": "pine"}]),
    get("books?select=title,authors!books_author(name)&distinct=(author_id)&order=price.desc&author_id=lt.3", [
        {"title": "Bees", "authors": {"name": "Ann"}}, {"title": "Cold Sea", "authors": {"name": "Bob"}}]),
    get("books?select=full_title&distinct=(facts->old)&order=year.desc", [
        {"full_title": "Elms, and (other) trees (2020)"}, {"full_title": "Ada (1843)"}], name="by a computed field"),
    get("books?select=id,authors!books_author()&distinct=(format)&order=authors(born).desc.nullslast,id&id=lt.4", [
        {"id": 3}, {"id": 2}], name="the first by a related order"),
    get("books?select=id,authors!books_author!inner(id)&authors.id=eq.1&distinct=(author_id)&order=id.desc", [
        {"id": 2, "authors": {"id": 1}}], name="of rows that have what is embedded inner"),
    get("countries?select=id,authors(name)&authors.distinct=(country_id)&authors.order=born.desc&order=id", [
        {"id": 1, "authors": [{"name": "Dan"}]}, {"id": 2, "authors": [{"name": "Bob"}]}, {"id": 3, "authors": []}]),
    get("genres?select=id,books(id)&books.distinct=(format)&books.order=id.desc&order=id&id=lt.3", [
        {"id": 1, "books": [{"id": 2}, {"id": 1}]}, {"id": 2, "books": [{"id": 5}, {"id": 3}, {"id": 2}]}],
        name="the first of each through a junction"),
    post("rpc/by_author?select=full_title&distinct=(author_id)&order=id.desc", {"of": 1}, 200, [
        {"full_title": "Bees (1999)"}], name="the first of what a function gives"),
    get("loans?select=note&distinct=(owner)&order=id", [{"note": "first"}], name="policies choose first"),
    get("loans?select=note&distinct=(owner)&order=id", [{"note": "third"}], who="two", name="of two: policies"),
    case("QUERY with distinct", "QUERY", "books", 200, FORMATS, sent=b"select=format&distinct=(*)&order=format",
        content_type=FORM),
    case("a stream of distinct rows", "GET", "books?select=id&distinct=(format)&order=id", 200, ANYTHING,
        accept="application/x-ndjson"),
    case("CSV of distinct rows", "GET", "books?select=format&distinct=(*)&order=format&limit=1", 200,
        Text("format\npaper"), accept="text/csv"),
    # Having.
    get("books?select=format,count()&having=(count().gt.1)", [{"format": "paper", "count": 2}]),
    get("books?select=format&having=(count().gt.1)", [{"format": "paper"}]),
    get("books?select=format,count()&having=(count().eq.1)&order=format", [
        {"format": "sound", "count": 1}, {"format": "screen", "count": 1}, {"format": None, "count": 1}], 200,
        prefer="count=exact", told={"Content-Range": "0-2/3"}),
    get("books?select=author_id,pages.sum()&having=(pages.sum().gte.300)&order=author_id", [
        {"author_id": 1, "sum": 300}, {"author_id": 2, "sum": 300}]),
    get("books?select=author_id&having=(pages.sum().is.null)", [{"author_id": 3}]),
    get("books?select=author_id&having=(pages.sum().not.is.null,price.avg().lt.10)&order=author_id", [
        {"author_id": 2}, {"author_id": None}]),
    get("books?select=author_id&having=(or(year.max().gt.2010,and(count().gt.1,pages.min().eq.100)))&order=author_id", [
        {"author_id": 1}, {"author_id": 3}, {"author_id": None}]),
    get("books?select=author_id&having=(not.and(count().eq.1))", [{"author_id": 1}]),
    get("books?select=author_id&having=(count().in.(2,7))", [{"author_id": 1}]),
    get("books?select=author_id&having=(title.max().like.B*)", [{"author_id": 1}]),
    get("books?select=author_id&having=(price::integer.sum().eq.31)", [{"author_id": 1}]),
    get("books?select=author_id&having=(pages.avg()::integer.eq.150)", [{"author_id": 1}]),
    get("things?select=flag&having=(doc->>n::integer.sum().gt.5)&id=in.(1,2,5)", [{"flag": False}]),
    get("books?select=count()&having=(count().gt.9)", [], name="no group of all"),
    get("books?select=n:count()&having=(count().gt.4)", [{"n": 5}]),
    get("books?select=format,count()&having=(count().gt.0)&having=(count().lt.2)&order=format&limit=1", [
        {"format": "sound", "count": 1}], name="all of several havings"),
    post("rpc/by_author?select=author_id,count()&having=(count().gt.1)", {"of": 1}, 200, [
        {"author_id": 1, "count": 2}]),
    get("copies?select=...books(author_id),count()&having=(count().gt.1)", [{"author_id": 1, "count": 3}],
        name="having of what a spread lifts"),
    # Orders by aggregates.
    get("books?select=format,count()&order=count().desc,format&limit=2", [
        {"format": "paper", "count": 2}, {"format": "sound", "count": 1}]),
    get("books?select=author_id&having=(count().gt.0)&order=pages.sum().desc.nullslast,author_id", [
        {"author_id": 1}, {"author_id": 2}, {"author_id": None}, {"author_id": 3}]),
    get("books?select=author_id,n:pages.sum()&order=pages.sum().nullsfirst,author_id.desc", [
        {"author_id": 3, "n": None}, {"author_id": None, "n": 50}, {"author_id": 2, "n": 300},
        {"author_id": 1, "n": 300}]),
    get("books?select=author_id,count()&order=price::integer.sum()::text.desc.nullslast&limit=1", [
        {"author_id": None, "count": 1}],
        name="casts around an aggregate that orders"),
    # Orders by aggregates of embeds.
    get("authors?select=name,books!books_author()&order=books(count()).desc,name", [
        {"name": "Ann"}, {"name": "Bob"}, {"name": "Cleo"}, {"name": "Dan"}]),
    get("authors?select=name,books!books_author()&order=books(pages.max()).desc.nullslast,name&limit=2", [
        {"name": "Bob"}, {"name": "Ann"}]),
    get("authors?select=name,b:books!books_author()&b.year=gt.2000&order=b(count()).desc,name&limit=2", [
        {"name": "Bob"}, {"name": "Cleo"}], name="only what its filters let through"),
    get("genres?select=name,books()&order=books(count()).desc", [
        {"name": "Nature"}, {"name": "Science"}, {"name": "Poetry"}], name="through a junction"),
    get("genres?select=name,books(id)&books.limit=1&books.order=id&order=books(count()).desc&limit=1", [
        {"name": "Nature", "books": [{"id": 2}]}], name="all of them, whatever is told"),
    get("books?select=id,authors!books_author()&order=authors(count()).desc,id.desc&limit=1", [{"id": 4}],
        name="a count of one"),
    get("authors?select=name,edited()&order=edited(count()).desc,name&limit=1", [{"name": "Ann"}],
        name="of what a function gives"),
    get("countries?select=id,authors(name,books!books_author())&authors.order=books(count()).desc,name&id=eq.1", [
        {"id": 1, "authors": [{"name": "Ann"}, {"name": "Dan"}]}], name="inside an embed"),
    # Filters by the number of related rows.
    get("genres?select=id,books()&books=count.gt.2", [{"id": 2}]),
    get("genres?select=id,books()&books=count.eq.0", [{"id": 3}]),
    get("genres?select=id,books()&books=not.count.eq.0&order=id", [{"id": 1}, {"id": 2}]),
    get("genres?select=id,books(id)&books.id=gt.2&books=count.gte.2&books.order=id", [
        {"id": 2, "books": [{"id": 3}, {"id": 5}]}], name="the number that the filters let through"),
    get("genres?select=id,b:books()&b=count.lte.2&order=id", [{"id": 1}, {"id": 3}], prefer="count=exact",
        told={"Content-Range": "0-1/2"}, name="by an alias, and counted"),
    get("genres?select=id,books()&or=(books.count.lt.1,name.eq.Nature)&order=id", [{"id": 2}, {"id": 3}]),
    get("genres?select=id,books()&or=(books.not.count.neq.3,and(books.count.gt.0,id.eq.1))&order=id", [
        {"id": 1}, {"id": 2}]),
    get("countries?select=id,authors(id,books!books_author())&authors.books=count.gt.1&authors=not.is.null", [
        {"id": 1, "authors": [{"id": 1}]}], name="a count inside an embed"),
    get("authors?select=id,countries()&countries=count.eq.1&order=id", [{"id": 1}, {"id": 2}, {"id": 4}]),
    get("books?select=id,loans()&loans=count.gt.0&order=id", [{"id": 1}, {"id": 2}], name="policies hide some"),
    get("books?select=id,loans()&loans=count.gt.0&order=id", [{"id": 1}], who="two", name="of two: what is counted"),
    case("a change of rows by the number of related ones", "DELETE", "lists?select=id,items()&items=count.eq.2", 409,
        ANYTHING),
    case("rows are changed by the number of related ones", "PATCH", "lists?select=id,items()&items=count.eq.2", 200,
        [{"id": 1}], sent={"name": "x"}, prefer="return=representation",
        then=("lists?select=name&order=id", [{"name": "x"}, {"name": "tools"}])),
    case("distinct rows, planned", "GET", "books?select=format&distinct=(*)", 200, ANYTHING, prefer="count=planned"),
    get("books?select=format&distinct=(*)&order=format&limit=1", FORMATS[:1], 206, prefer="count=estimated",
        told={"Content-Range": "0-0/4"}, name="distinct rows, estimated"),
    get("countries?select=id,authors(born,count())&authors.order=count().desc,born&id=eq.1", [
        {"id": 1, "authors": [{"born": 1815, "count": 1}, {"born": 1970, "count": 1}]}], name="groups in an embed"),
    get("books?select=&distinct=(format)&order=id&limit=1", [{}], name="the first of each, of which nothing is told"),
    # Refusals.
    refuses("books?select=&distinct=(*)", 400, "PGRST100", details="Nothing is selected that could be alike"),
    refuses("rpc/by_author?of=1&distinct=(*)", 404, "PGRST202"),
    refuses("books?select=format&distinct=(*)&order=id", 400, "ORDER_NOT_TOLD",
        message="With distinct=(*) rows are ordered by what 'select' tells of them, and 'id' is not in it"),
    refuses("books?select=format::text&distinct=(*)&order=format", 400, "ORDER_NOT_TOLD"),
    refuses("books?select=format,authors!books_author()&distinct=(*)&order=authors(name)", 400, "ORDER_NOT_TOLD"),
    refuses("books?select=format&order=count()", 400, "NO_GROUPS",
        message="order=count() orders groups, and nothing in 'select' makes any"),
    refuses("books?order=pages.sum().desc", 400, "NO_GROUPS"),
    refuses("books?select=format,count()&distinct=(format)", 400, "PGRST100"),
    refuses("books?distinct=", 400, "PGRST100"),
    refuses("books?distinct=()", 400, "PGRST100"),
    refuses("books?distinct=(id", 400, "PGRST100"),
    refuses("books?distinct=(id)x", 400, "PGRST100"),
    refuses("books?distinct=(*,id)", 400, "PGRST100"),
    refuses("books?distinct=(nowhere)", 400, "42703"),
    refuses("books?distinct=(id)&order=authors(name)", 400, "PGRST108"),
    refuses("books?authors.distinct=(*)", 400, "PGRST108"),
    refuses("books?select=id,authors!books_author(id)&authors.distinct=(*)", 400, "PGRST100",
        details="'authors' is no list of rows that could be distinct"),
    refuses("countries?select=id,...authors(name)&authors.distinct=(*)", 400, "PGRST100"),
    refuses("countries?select=id,authors(name)&authors.distinct=(*)&authors.offset=1", 400, "PGRST100"),
    refuses("notes?distinct=(*)", 400, "PGRST100", "PATCH", sent={"rank": 1},
        details="distinct=(…) is about rows that are read, by GET, HEAD or QUERY"),
    refuses("notes?having=(count().gt.1)", 400, "PGRST100", "DELETE",
        details="having=(…) is about rows that are read, by GET, HEAD or QUERY"),
    refuses("books?having=count().gt.1", 400, "PGRST100"),
    refuses("books?having=()", 400, "PGRST100"),
    refuses("books?having=(pages.gt.1)", 400, "PGRST100"),
    refuses("books?select=format&having=(count().gt.x)", 400, "22P02"),
    refuses("books?select=format&having=(count().count.gt.1)", 400, "PGRST100"),
    refuses("books?select=format&having=(nowhere.sum().gt.1)", 400, "42703"),
    refuses("authors?select=name,books!books_author(count())&books.having=(count().gt.1)", 400, "PGRST100",
        details="having=(…) chooses among the groups of the request's own rows"),
    refuses("genres?books=count.gt.2", 400, "PGRST108"),
    refuses("genres?select=id,books()&books=count.gt.x", 400, "22P02"),
    refuses("genres?select=id,books()&books=count.like.2", 400, "PGRST100",
        details="count is compared by eq, neq, gt, gte, lt or lte, as in relation=count.gt.2"),
    refuses("genres?select=id,books()&books=count.is.null", 400, "PGRST100"),
    refuses("genres?select=id,books()&books=count.2", 400, "PGRST100"),
    refuses("genres?id=count.gt.2", 400, "PGRST108"),
    refuses("genres?id->a=count.gt.2", 400, "PGRST100"),
    refuses("authors?select=name,books!books_author()&order=books(nowhere.sum())", 400, "42703"),
    refuses("authors?select=name,books!books_author()&order=books(title)", 400, "PGRST118"),
    refuses("authors?order=books(count())", 400, "PGRST108"),
    *(refuses(target, 400, "PGRST123", settings=OFF) for target in (
        "books?select=format&having=(count().gt.1)", "books?order=count()", "genres?select=id,books()&books=count.gt.1",
        "genres?select=id,books()&order=books(count())")),
    get("books?select=format&distinct=(*)&order=format", FORMATS, settings=OFF, name="distinct is no aggregate"),
    # Columns of these names are filtered as ever.
    refuses("books?distinct=eq.1", 400, "42703"),
    refuses("books?having=eq.1", 400, "42703"),
)  # fmt: skip
