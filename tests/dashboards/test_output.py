import pytest

from dashboards.output import clean, tail


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("10 %\r50 %\r100 %\n", "100 %\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("bell\x07 null\x00", "bell null"),
    ],
)
def test_what_only_a_terminal_understands_is_left_out(text, cleaned):
    assert clean(text) == cleaned


def test_a_long_output_is_cut_at_a_line_and_says_its_whole_size(tmp_path):
    file = tmp_path / "output.log"
    file.write_text("first line\n" + "x" * 50 + "\nlast line\n")

    found = tail(file, most=30)

    assert found.text == "last line\n"
    assert found.is_cut
    assert found.size_bytes == 72


def test_there_may_be_no_output_yet(tmp_path):
    assert tail(tmp_path / "output.log") is None
    assert tail(None) is None
