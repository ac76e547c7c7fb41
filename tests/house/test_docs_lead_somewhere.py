"""Links in the pages lead to something, and every decision is in the index."""

import re
from pathlib import Path

from tests.house.source import ROOT

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)")


def violations(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    return [f"{page.name}: {target} is not there" for target in targets if not (page.parent / target).exists()]


def unlisted(decisions: Path) -> list[str]:
    """Decision records that their index does not name."""
    index = (decisions / "README.md").read_text(encoding="utf-8")
    return sorted(path.name for path in decisions.glob("[0-9]*.md") if f"({path.name})" not in index)


def test_every_link_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md")]
    assert [fault for page in pages for fault in violations(page)] == []


def test_every_decision_is_listed() -> None:
    assert unlisted(ROOT / "docs" / "decisions") == []


def test_planted_faults_are_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[a](0001-a.md) [b](gone.md#x) [c](https://example.com)", encoding="utf-8")
    (tmp_path / "0001-a.md").touch()
    (tmp_path / "0002-b.md").touch()
    assert violations(tmp_path / "README.md") == ["README.md: gone.md is not there"]
    assert unlisted(tmp_path) == ["0002-b.md"]
