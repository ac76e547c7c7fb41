"""Removals, and how many rows a change may touch (contract 1.5)."""

from tests.platform.records.cases.case import (
    BACK,
    SINGLE,
    delete,
    patch,
    refuses,
)

TITLES = "notes?select=title&order=id"
UNTOUCHED = (TITLES, [{"title": "one"}, {"title": "two"}, {"title": "three"}])
STRICT = "handling=strict"

CASES = (
    delete(
        "notes?id=eq.1",
        204,
        told={"Content-Range": "*/*", "Content-Type": None},
        then=(TITLES, [{"title": "two"}, {"title": "three"}]),
    ),
    delete(
        "notes?id=eq.1&select=id,title", 200, [{"id": 1, "title": "one"}], prefer=BACK, told={"Content-Range": "*/*"}
    ),
    delete("notes?id=lt.3", 204, prefer="count=exact", told={"Content-Range": "*/2"}),
    delete("notes?id=eq.99", 204, prefer="count=exact", told={"Content-Range": "*/0"}),
    delete("notes?id=eq.99", 200, [], prefer=BACK),
    delete("notes", 204, then=(TITLES, []), name="without filters all go"),
    delete("notes?not.and=(id.gt.1,id.lt.3)&select=id&order=id", 200, [{"id": 1}, {"id": 3}], prefer=BACK),
    delete("loose?note=eq.l", 204, prefer="count=exact", told={"Content-Range": "*/2"}),
    delete("items?id=eq.1&select=label,lists(name)", 200, [{"label": "bread", "lists": {"name": "food"}}], prefer=BACK),
    delete("notes?id=eq.1&select=title", 200, {"title": "one"}, prefer=BACK, accept=SINGLE, name="one object goes"),
    delete(
        "diary",
        204,
        prefer="count=exact",
        told={"Content-Range": "*/1"},
        then=("diary?select=line", [{"line": "hers"}]),
        name="only one's own go",
    ),
    delete("diary?id=eq.2", 204, then=("diary?select=count()", [{"count": 2}]), name="hers stays"),
    delete("open_notes?id=eq.2", 204, then=UNTOUCHED, name="what the view hides stays"),
    refuses("notes?id=lt.3", 406, "PGRST116", "DELETE", accept=SINGLE, prefer=BACK, then=UNTOUCHED),
    refuses("lists?id=eq.1", 409, "23503", "DELETE", then=("lists?select=count()", [{"count": 2}])),
    refuses("notes?absent=eq.1", 400, "42703", "DELETE", then=UNTOUCHED),
    refuses("notes?id=", 400, "PGRST100", "DELETE", then=UNTOUCHED),
    refuses("vault?id=eq.1", 403, "42501", "DELETE", then=("vault?select=gold", [{"gold": 100}])),
    # How many may be touched.
    patch(
        "notes?id=lt.3",
        {"rank": 5},
        204,
        prefer=f"{STRICT}, max-affected=2",
        told={"Preference-Applied": f"{STRICT}, max-affected=2"},
    ),
    refuses(
        "notes?id=lt.3",
        400,
        "PGRST124",
        "PATCH",
        sent={"title": "x"},
        prefer=f"{STRICT}, max-affected=1",
        then=UNTOUCHED,
        details="The query affects 2 rows",
        message="Query result exceeds max-affected preference constraint",
    ),
    patch(
        "notes?id=lt.3",
        {"rank": 5},
        204,
        prefer="max-affected=1",
        told={"Preference-Applied": None},
        name="without strictness it is not heard",
    ),
    delete("notes?id=eq.1", 204, prefer=f"{STRICT}, max-affected=1"),
    refuses("notes", 400, "PGRST124", "DELETE", prefer=f"{STRICT}, max-affected=2", then=UNTOUCHED),
    refuses("notes?id=eq.1", 400, "PGRST124", "DELETE", prefer=f"{STRICT}, max-affected=0", then=UNTOUCHED),
    refuses(
        "notes?id=eq.1",
        400,
        "PGRST122",
        "DELETE",
        prefer=f"{STRICT}, colour=blue",
        then=UNTOUCHED,
        message="Invalid preferences given with handling=strict",
        details="Invalid preferences: colour=blue",
    ),
    delete("notes?id=eq.1", 204, prefer="colour=blue", name="leniently odd preferences are nothing"),
    delete(
        "notes?id=eq.1", 204, prefer="handling=lenient, colour=blue", told={"Preference-Applied": "handling=lenient"}
    ),
)
