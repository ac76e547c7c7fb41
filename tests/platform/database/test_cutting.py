"""Long JSON is cut into its rows without being held, and cut nowhere else."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import Refusal
from headwater.platform.database.parse import cutting, json_rows

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('"\\{}[],:\n é')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ROWS = st.lists(st.fixed_dictionaries({'a "{': JSON, "b": JSON}), max_size=6)


def array(rows: list[Any], indent: int) -> bytes:
    return msgspec.json.format(msgspec.json.encode(rows), indent=indent)


def lines(rows: list[Any], _: int) -> bytes:
    return b"\r\n\n".join(msgspec.json.encode(row) for row in rows)


@given(ROWS, st.integers(0, 3), st.integers(1, 9), st.sampled_from([array, lines]))
def test_rows_are_the_same_wherever_the_pieces_end(
    rows: list[Any], indent: int, piece: int, written: Callable[[list[Any], int], bytes]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "PIECE", piece)
        read = list(json_rows(memoryview(written(rows, indent)), by_lines=written is lines))
    assert [{key: msgspec.json.decode(value) for key, value in row.items()} for row in read] == rows


@given(st.text(st.sampled_from('[]{}",:\\ a1\n')), st.integers(1, 9), st.booleans())
def test_what_is_refused_whole_is_refused_in_pieces(text: str, piece: int, by_lines: bool) -> None:
    content = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "PIECE", piece)
        try:
            found = [dict(row) for row in json_rows(memoryview(content), by_lines=by_lines)]
        except Refusal:
            return
    decoder = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] if not by_lines else dict[str, msgspec.Raw])
    assert found == (decoder.decode_lines(content) if by_lines else decoder.decode(content))


@pytest.mark.parametrize(
    ("content", "by_lines", "words"),
    [
        ('[{"a": 1}, {"a": 2}, {"a": 3,}, {"a": 4}]', False, "row 3"),
        ('[{"a": 1}, {"a": [2}, {"a": 3}]', False, "row 2"),
        ('[{"a": 1}, {"a": "2}]', False, "the text ends within row 2"),
        ('[{"a": 1} {"a": 2}]', False, "row 1 is followed by neither"),
        ('[{"a": 1}, 5]', False, "row 2 is no object"),
        ('[{"a": 1},]', False, "row 2 is no object"),
        ('[{"a": 1}', False, "row 1 is followed by neither"),
        ('[{"a": 1}] [', False, "the text goes on"),
        ("", False, "does not begin with ["),
        ('{"a": 1}\n\n{"a": 2\n{"a": 3}', True, "row 2"),
        ('{"a": 1}\n[]', True, "row 2"),
        ('[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", False, "row 1"),
    ],
)
def test_the_row_is_named(content: str, by_lines: bool, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        list(json_rows(memoryview(content.encode()), by_lines=by_lines))
    assert caught.value.status == 400
    assert words in caught.value.message


def test_a_row_without_an_end_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LONGEST_ROW", 1000)
    monkeypatch.setattr(cutting, "PIECE", 100)
    for content, by_lines in ((b'[{"a": "' + b"x" * 10_000, False), (b'{"a": "' + b"x" * 10_000, True)):
        with pytest.raises(Refusal, match="longer than 1000 bytes"):
            list(json_rows(memoryview(content), by_lines=by_lines))
