"""Aggregates and their groups (contract 1.2)."""

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import get, refuses

OFF = RecordsSettings(aggregates=False)
# Pages are 100, 200, 300, null, 50; prices 10.00, 20.50, 5.25, null, 7.00.
CASES = (
    get("books?select=count()", [{"count": 5}]),
    get("books?select=n:count()", [{"n": 5}]),
    get("books?select=count()::text", [{"count": "5"}]),
    get("books?select=pages.count()", [{"count": 4}]),
    get("books?select=pages.sum()", [{"sum": 650}]),
    get("books?select=pages.min()", [{"min": 50}]),
    get("books?select=pages.max()", [{"max": 300}]),
    get("books?select=pages.avg()", [{"avg": 162.5}]),
    get("books?select=price.sum()", [{"sum": 42.75}]),
    get("books?select=total:pages.sum(),least:pages.min()", [{"total": 650, "least": 50}]),
    get("books?select=pages.sum()::text", [{"sum": "650"}]),
    get("books?select=pages.avg()::text&id=eq.1", [{"avg": "100.0000000000000000"}]),
    get("books?select=price::integer.sum()&id=in.(1,4)", [{"sum": 10}]),
    get("books?select=s:price::integer.sum()::text&id=eq.1", [{"s": "10"}]),
    get("books?select=pages.sum()&id=eq.99", [{"sum": None}]),
    get("books?select=count()&id=eq.99", [{"count": 0}]),
    get("books?select=count()&year=gt.2000", [{"count": 3}]),
    get("books?select=format,count()&order=format", [
        {"format": "paper", "count": 2}, {"format": "sound", "count": 1}, {"format": "screen", "count": 1},
        {"format": None, "count": 1}]),
    get("books?select=format,pages.sum()&format=eq.paper", [{"format": "paper", "sum": 400}]),
    get("books?select=form:format,pages.max()&order=format&limit=1", [{"form": "paper", "max": 300}]),
    get("books?select=format,count()&order=format", [{"format": "paper", "count": 2}, {"format": "sound", "count": 1},
        {"format": "screen", "count": 1}, {"format": None, "count": 1}], prefer="count=exact",
        told={"Content-Range": "0-3/4"},
        name="groups are counted"),
    get("books?select=full_title,count()&id=eq.1", [{"full_title": "Ada (1843)", "count": 1}]),
    get("things?select=doc->>k,n.sum()&order=doc->>k&id=in.(1,2,5)", [{"k": "v", "sum": 6}, {"k": "w", "sum": 2}]),
    get("things?select=doc->>n::integer.sum()&id=in.(1,2,5)", [{"sum": 13}], name="inside JSON"),
    get("things?select=at.max()", [{"max": "2026-01-01T00:00:00+00:00"}]),
    get("things?select=t.min()&id=lt.3", [{"min": "alpha"}]),
    # With embeds.
    get("authors?select=countries(name),count()&id=eq.1", [{"countries": {"name": "Norway"}, "count": 1}]),
    get("countries?select=name,authors(count())&order=id", [
        {"name": "Norway", "authors": [{"count": 2}]}, {"name": "Peru", "authors": [{"count": 1}]},
        {"name": "Chad", "authors": [{"count": 0}]}], name="inside an embed"),
    get("countries?select=name,authors(born.max(),n:count())&id=eq.1",
        [{"name": "Norway", "authors": [{"max": 1970, "n": 2}]}]),
    get("countries?select=name,authors(name,count())&id=eq.2",
        [{"name": "Peru", "authors": [{"name": "Bob", "count": 1}]}]),
    get("countries?select=name,authors(count())&authors.born=gt.1960&order=id&id=lt.3", [
        {"name": "Norway", "authors": [{"count": 1}]}, {"name": "Peru", "authors": [{"count": 0}]}]),
    get("genres?select=name,books(pages.sum())&order=id&id=lt.3", [
        {"name": "Science", "books": [{"sum": 300}]}, {"name": "Nature", "books": [{"sum": 550}]}]),
    get("copies?select=...books(pages.sum())", [{"sum": 700}], name="lifted out of a spread"),
    get("copies?select=room,...books(pages.max())&order=room&room=not.is.null", [
        {"room": "A", "max": 100}, {"room": "B", "max": 200}]),
    get("authors?select=...countries(country:name),count()&country_id=eq.1", [{"country": "Norway", "count": 2}],
        name="groups by what a spread lifts"),
    get("loans?select=count()", [{"count": 2}], name="counts what policies show"),
    get("loans?select=count()", [{"count": 1}], who="two"),
    get("loans?select=count()", [{"count": 0}], who="anon"),
    # Refusals.
    refuses("books?select=title.sum()", 404, "42883"),
    refuses("books?select=pages.median()", 400, "PGRST100"),
    refuses("books?select=pages.sum(", 400, "PGRST100"),
    refuses("books?select=absent.sum()", 400, "42703"),
    refuses("books?select=pages.sum()", 400, "PGRST123", settings=OFF,
        message="Use of aggregate functions is not allowed"),
    refuses("books?select=count()", 400, "PGRST123", settings=OFF),
    refuses("countries?select=name,authors(count())", 400, "PGRST123", settings=OFF),
    refuses("copies?select=...books(pages.sum())", 400, "PGRST123", settings=OFF),
)  # fmt: skip
