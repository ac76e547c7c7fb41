"""Where a letter's link may lead: tables of what fits a pattern, and of what only looks as if it did."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import InvalidInput
from headwater.platform.identity.errors import RedirectNotAllowed
from headwater.platform.identity.redirects import must_be_allowed, must_be_pattern, with_parameters

OWN = "https://auth.example.com"
FITS = [
    ("https://app.example.org/done", "https://app.example.org/done"),
    ("https://app.example.org/done", "https://app.example.org/done?x=1#top"),
    ("https://app.example.org", "https://app.example.org/"),
    ("https://app.example.org/", "https://app.example.org"),
    ("https://app.example.org", "HTTPS://App.Example.ORG:443"),
    ("https://app.example.org/*", "https://app.example.org/done"),
    ("https://app.example.org/**", "https://app.example.org/a/b/c"),
    ("https://app.example.org/a/*/c", "https://app.example.org/a/b/c"),
    ("https://*.example.org/**", "https://pr-12.example.org/x"),
    ("https://app-?.example.org", "https://app-1.example.org"),
    ("https://app[1-3].example.org", "https://app2.example.org"),
    ("https://app[!1].example.org", "https://app2.example.org"),
    ("http://localhost:*/**", "http://localhost:3000/done"),
    ("http://localhost:3000/**", "http://localhost:3000/"),
    ("myapp://callback", "myapp://callback"),
    ("myapp://**", "myapp://auth/done"),
    ("com.example.app:/done", "com.example.app:/done"),
]
FITS_NOT = [
    ("https://app.example.org/done", "https://app.example.org/done/more"),
    ("https://app.example.org/done", "http://app.example.org/done"),
    ("https://app.example.org/done", "https://app.example.org:8443/done"),
    ("https://app.example.org", "https://app.example.org/anything"),
    ("https://app.example.org/*", "https://app.example.org/a/b"),
    ("https://app.example.org/public/**", "https://app.example.org/public/../admin"),
    ("https://app.example.org/public/**", "https://app.example.org/public/%2e%2E/admin"),
    ("https://*.example.org/**", "https://evil.com/.example.org/"),
    ("https://*.example.org/**", "https://evil.com?.example.org/"),
    ("https://*.example.org/**", "https://evil.com#.example.org/"),
    ("https://*.example.org/**", "https://evil.com\\.example.org/"),
    ("https://*.example.org/**", "https://evil.com:443/.example.org/"),
    ("https://*.example.org/**", "https://example.org/"),
    ("https://app.example.org/**", "https://app.example.org@evil.com/"),
    ("https://app.example.org/**", "https://app.example.org.evil.com/"),
    ("https://app.example.org/**", "https://app.example.org:443@evil.com/"),
    ("https://app.example.org/**", "//app.example.org/done"),
    ("https://app.example.org/**", "/done"),
    ("https://app.example.org/**", "https:app.example.org/done"),
    ("https://app.example.org/**", " https://app.example.org/done"),
    ("https://app.example.org/**", "https://app.example.org/done\r\nSet-Cookie: a=b"),
    ("https://app.example.org/**", "https://app.example.org/\tdone"),
    ("https://app[!1].example.org", "https://app1.example.org"),
    ("https://app.example.org", "https://appxexample.org"),
    ("**", "https://evil.com/"),
    ("**", "javascript:alert(1)"),
    ("javascript:**", "javascript:alert(1)"),
    ("data:**", "data:text/html,<script>alert(1)</script>"),
    ("https://app.example.org/**", "https://[::1"),
    ("https://app.example.org/**", "https://app.example.org:99999/"),
    ("https://app.example.org/**", ""),
]


@pytest.mark.parametrize(("pattern", "url"), FITS)
def test_what_fits(pattern: str, url: str) -> None:
    must_be_pattern("x", pattern)
    must_be_allowed(url, [pattern], OWN)
    with pytest.raises(RedirectNotAllowed):
        must_be_allowed(url, [], OWN)


@pytest.mark.parametrize(("pattern", "url"), FITS_NOT)
def test_what_only_looks_as_if_it_did(pattern: str, url: str) -> None:
    with pytest.raises(RedirectNotAllowed):
        must_be_allowed(url, [pattern], OWN)


def test_our_own_address_is_always_allowed_and_no_other_port_of_it() -> None:
    must_be_allowed("https://auth.example.com/any/where?x", [], OWN)
    must_be_allowed("http://127.0.0.1:7130/x", [], "http://127.0.0.1:7130")
    for url in ("http://auth.example.com/", "https://auth.example.com:8443/", "https://auth.example.com.evil.com/"):
        with pytest.raises(RedirectNotAllowed):
            must_be_allowed(url, [], OWN)


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "**", "app.example.org", "https://", "https:", "javascript:*", "https://a b", "1https://a", "a\n://b"],
)
def test_what_could_be_no_pattern_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(InvalidInput, match=r"allowedRedirectUrls\[3\]"):
        must_be_pattern("allowedRedirectUrls[3]", pattern)


@given(host=st.text(max_size=40), path=st.text(max_size=40))
def test_whatever_is_asked_for_only_the_listed_host_is_led_to(host: str, path: str) -> None:
    url = f"https://{host}/{path}"
    try:
        must_be_allowed(url, ["https://app.example.org/**"], OWN)
    except RedirectNotAllowed:
        return
    assert host.lower() in {"app.example.org", "app.example.org:443", "auth.example.com", "auth.example.com:443"}


@given(st.text(max_size=60))
def test_any_pattern_is_taken_or_refused(pattern: str) -> None:
    try:
        must_be_pattern("x", pattern)
        must_be_allowed("https://app.example.org/done", [pattern], OWN)
    except (InvalidInput, RedirectNotAllowed):
        return


def test_parameters_are_added_to_those_that_are_there() -> None:
    url = with_parameters("myapp://done/x?a=1&token=old#top", token="n&w", b="ü")
    assert url == "myapp://done/x?a=1&token=n%26w&b=%C3%BC#top"


@given(
    st.lists(st.sampled_from(["*", "**", "?", "a", "b", "/", "ab", "[ab]", "a/b"]), max_size=9).map("".join),
    st.lists(st.sampled_from("ab/"), max_size=14).map("".join),
)
def test_stars_fit_what_they_would_fit_if_every_way_were_tried(glob: str, path: str) -> None:
    written = re.sub(r"\*{2,}|\*|\?", lambda star: {"*": "[^/]*", "?": "[^/]"}.get(star.group(), ".*"), glob)
    try:
        must_be_allowed(f"myapp:{path}", [f"myapp:{glob}"], OWN)
        fits = True
    except RedirectNotAllowed:
        fits = False
    assert fits == (re.fullmatch(written, path) is not None)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://app.example.org/**/**/**/x", "https://app.example.org" + "/" * 2000),
        ("https://*-*-*-*.example.org/**", "https://" + "-" * 2000 + "/x"),
        ("https://app.example.org/" + "*a" * 40, "https://app.example.org/" + "a" * 2000 + "b"),
    ],
)
def test_no_address_keeps_the_server_busy_however_many_stars_a_pattern_has(pattern: str, url: str) -> None:
    begun = process_time()
    with pytest.raises(RedirectNotAllowed):
        must_be_allowed(url, [pattern], OWN)
    assert process_time() - begun < 5  # where every way is tried: longer than anybody waits
