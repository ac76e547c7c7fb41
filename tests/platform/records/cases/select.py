"""What is told of a row: columns, aliases, casts, JSON paths, computed fields (contract 1.2)."""

from tests.platform.records.cases.case import SINGLE, get, refuses

ONE_THING = "things?id=eq.1&select="
ONE_BOOK = "books?id=eq.1&select="
WHOLE_BOOK = {
    "id": 1, "title": "Ada", "year": 1843, "price": 10.00, "pages": 100, "format": "paper", "author_id": 1,
        "editor_id": 2,
}  # fmt: skip

CASES = (
    get("books?id=eq.1", [WHOLE_BOOK], name="without select every column is told"),
    get("books?id=eq.1&select=*", [WHOLE_BOOK]),
    get(f"{ONE_BOOK}*,full_title", [{**WHOLE_BOOK, "full_title": "Ada (1843)"}]),
    get(f"{ONE_BOOK}title", [{"title": "Ada"}]),
    get(f"{ONE_BOOK}title,year", [{"title": "Ada", "year": 1843}]),
    get(f"{ONE_BOOK}year,title", [{"year": 1843, "title": "Ada"}]),
    get(f"{ONE_BOOK}title, year", [{"title": "Ada", "year": 1843}], name="spaces after commas are nothing"),
    get(f'{ONE_BOOK}"title"', [{"title": "Ada"}]),
    get(f"{ONE_BOOK}name:title", [{"name": "Ada"}]),
    get(f'{ONE_BOOK}"the name":title', [{"the name": "Ada"}]),
    get(f"{ONE_BOOK}a:title,b:title", [{"a": "Ada", "b": "Ada"}]),
    get(f"{ONE_BOOK}year::text", [{"year": "1843"}]),
    get(f"{ONE_BOOK}y:year::text", [{"y": "1843"}]),
    get(f"{ONE_BOOK}price::integer", [{"price": 10}]),
    get(f"{ONE_BOOK}price::double precision", [{"price": 10}]),
    get(f"{ONE_BOOK}format::text", [{"format": "paper"}]),
    get(f"{ONE_BOOK}full_title", [{"full_title": "Ada (1843)"}]),
    get(f"{ONE_BOOK}t:full_title", [{"t": "Ada (1843)"}]),
    get(f"{ONE_BOOK}full_title::varchar", [{"full_title": "Ada (1843)"}]),
    get(f"{ONE_BOOK}facts", [{"facts": {"letters": 3, "old": True}}]),
    get(f"{ONE_BOOK}facts->letters", [{"letters": 3}]),
    get(f"{ONE_BOOK}facts->>old", [{"old": "true"}]),
    # JSON.
    get(f"{ONE_THING}doc->k", [{"k": "v"}]),
    get(f"{ONE_THING}doc->>k", [{"k": "v"}]),
    get(f"{ONE_THING}doc->n", [{"n": 1}]),
    get(f"{ONE_THING}doc->>n", [{"n": "1"}]),
    get(f"{ONE_THING}doc->>n::integer", [{"n": 1}]),
    get(f"{ONE_THING}key:doc->>k", [{"key": "v"}]),
    get(f"{ONE_THING}doc->deep->x", [{"x": True}]),
    get(f"{ONE_THING}doc->deep", [{"deep": {"x": True}}]),
    get(f"{ONE_THING}doc->list", [{"list": [10, 20]}]),
    get(f"{ONE_THING}doc->list->0", [{"list": 10}], name="of an index the last named key is the name"),
    get(f"{ONE_THING}doc->list->>-1", [{"list": "20"}]),
    get(f"{ONE_THING}first:doc->list->0", [{"first": 10}]),
    get(f"{ONE_THING}doc->absent", [{"absent": None}]),
    get(f"{ONE_THING}doc->absent->>deeper", [{"deeper": None}]),
    get(f"{ONE_THING}raw->r", [{"r": 1}]),
    get(f"{ONE_THING}area->w", [{"w": 1}]),
    get(f"{ONE_THING}tags->0", [{"tags": "a"}]),
    get(f"{ONE_THING}tags->>1", [{"tags": "b"}]),
    get(f"{ONE_THING}nums->1", [{"nums": 2}]),
    get("things?id=eq.2&select=raw->0", [{"raw": 1}]),
    # Types as JSON.
    get(f"{ONE_THING}tags,nums", [{"tags": ["a", "b"], "nums": [1, 2]}]),
    get(f"{ONE_THING}span,form,level", [{"span": "[1,5)", "form": "paper", "level": 10}]),
    get(f"{ONE_THING}at", [{"at": "2024-01-01T00:00:00+00:00"}]),
    get(f"{ONE_THING}cost,day", [{"cost": 1.5, "day": "2024-01-01"}]),
    get(f"{ONE_THING}code", [{"code": "00000000-0000-0000-0000-000000000001"}]),
    get(f"{ONE_THING}area", [{"area": {"w": 1, "h": 2}}]),
    get(f"{ONE_THING}words", [{"words": "'ate':3 'cat':2 'fat':1 'rat':4"}]),
    get(
        "things?id=eq.4&select=n,tags,doc,raw,flag", [{"n": None, "tags": None, "doc": None, "raw": None, "flag": True}]
    ),
    get("things?id=eq.3&select=raw,doc", [{"raw": "s", "doc": {"k": None}}]),
    get(f"{ONE_THING}n::numeric(4, 2)", refuses("", 400, "PGRST100").body, 400, name="a cast has no brackets"),
    get(f"{ONE_THING}doc::text", [{"doc": '{"k": "v", "n": 1, "deep": {"x": true}, "list": [10, 20]}'}]),
    get(f"{ONE_THING}day::text", [{"day": "2024-01-01"}]),
    # Domains with representations of their own.
    get("paints?select=shade&order=id", [{"shade": "#ff0000"}, {"shade": "#0000ff"}]),
    get("paints?shade=eq.%23ff0000&select=id", [{"id": 1}]),
    get("paints?shade=in.(%23ff0000,%230000ff)&select=id&order=id", [{"id": 1}, {"id": 2}]),
    get("paints?select=s:shade&id=eq.1", [{"s": "#ff0000"}]),
    # Views and odd names.
    get("modern_titles?number=eq.3", [{"number": 3, "called": "Cold Sea", "by": 2}]),
    get("by_year?year=eq.2005", [{"year": 2005, "books": 1}]),
    get('odd names?select=x:"a b",y:"g\\"h"', [{"x": "ab", "y": "gh"}]),
    get("odd names?select=select", [{"select": "sel"}]),
    # Refusals.
    refuses(f"{ONE_BOOK}absent", 400, "42703"),
    refuses(f"{ONE_BOOK}title,,year", 400, "PGRST100"),
    refuses(f"{ONE_BOOK}title(", 400, "PGRST100"),
    refuses(f"{ONE_BOOK})", 400, "PGRST100"),
    refuses(f"{ONE_BOOK}title::", 400, "PGRST100"),
    refuses(f"{ONE_BOOK}:title", 400, "PGRST100"),
    refuses(f"{ONE_BOOK}year::no_such_type", 400, "42704"),
    refuses(f"{ONE_BOOK}title::integer", 400, "22P02"),
    refuses(f"{ONE_BOOK}doc->", 400, "PGRST100"),
    refuses(f'{ONE_BOOK}"title', 400, "PGRST100"),
    # One object.
    get("books?id=eq.1&select=title", {"title": "Ada"}, name="one row as an object", accept=SINGLE),
    refuses("books?select=title", 406, "PGRST116", accept=SINGLE, details="The result contains 5 rows"),
    refuses("books?id=eq.99", 406, "PGRST116", accept=SINGLE, details="The result contains 0 rows"),
    get("books?order=id&limit=1&select=id", {"id": 1}, accept=SINGLE, name="a limit makes one row of many"),
)
