"""Sentences of the contract that no other chapter tests."""

from tests.platform.records.cases.case import Case, Like, case, finds, get, post, refuses

AT = "things?id=eq.1&select=at"


def zoned(zone: str, at: str) -> Case:
    """A read in this time zone."""
    return get(AT, [{"at": at}], prefer=f"timezone={zone}", told={"Preference-Applied": f"timezone={zone}"})


CASES = (
    get("fee$?select=a$b&a$b=gt.10", [{"a$b": 20}]),
    get("fee$?select=x:a$b&order=a$b.desc&or=(a$b.eq.10,id.eq.2)", [{"x": 20}, {"x": 10}]),
    finds("things?n=gt.1&n=lt.5", 2, 3),
    finds("things?n=gt.1&n=lt.5&n=neq.2", 3),
    refuses("things?offset=-1", 416, "PGRST103"),
    refuses("things?offset=x", 400, "PGRST100"),
    zoned("UTC", "2024-01-01T00:00:00+00:00"),
    zoned("Asia/Kathmandu", "2024-01-01T05:45:00+05:45"),
    zoned("+02", "2024-01-01T02:00:00+02:00"),
    zoned("-03", "2023-12-31T21:00:00-03:00"),
    # The Postgres of the wheel has no libxml; it says so once the body has come to the function.
    refuses("rpc/size_of_xml", 400, "0A000", "POST", sent=b"<a/>", content_type="text/xml"),
    refuses(
        "rpc/size_of_xml", 404, "PGRST202", "POST", sent=b"<a/>", content_type="text/plain", name="no text for XML"
    ),
    refuses("rpc/size_of_xml", 404, "PGRST202", name="what has no name is not to be asked with GET"),
    post("rpc/upper_text", b"a", 200, "A", content_type="Text/Plain; charset=utf-8", name="in any letters"),
    refuses(
        "rpc/size_of_xml",
        400,
        "PGRST102",
        "POST",
        sent=b"<a/>",
        content_type="image/png",
        message="Content-Type not acceptable: image/png",
        name="no picture",
    ),
    case(
        "no preference of no value",
        "GET",
        "things?id=eq.1&select=id",
        200,
        [{"id": 1}],
        prefer="count=, =exact, ,",
        told={"Preference-Applied": None},
    ),
    case(
        "an odd preference, strictly", "GET", "things", 400, Like(code="PGRST122"), prefer="handling=strict, count=all"
    ),
)
