"""docs/reference says what the code declares: `make docs` was run."""

from headwater.boot.components import find_components
from headwater.boot.reference import pages
from tests.house.source import ROOT


def test_the_committed_pages_are_current() -> None:
    folder = ROOT / "docs" / "reference"
    written = pages(find_components())
    committed = {name: (folder / name).read_text(encoding="utf-8") for name in written if (folder / name).exists()}
    stale = [name for name, text in written.items() if committed.get(name) != text]
    assert stale == [], "run `make docs`"
