"""Reports that were made to do harm: refused in words, or read exactly."""

import csv
import io
import json
import resource
import zipfile
from collections import Counter

import pytest

from executions.reports.base import Limits, UnreadableReport
from executions.reports.reading import open_reports
from tests.executions.reports.reading import junit, read_all
from tests.shared_data import shared_folder

REFUSED = [
    ("xml_billion_laughs.xml", "entity"),
    ("xml_quadratic_blowup.xml", "entity"),
    ("xml_truncated.xml", "ends too early"),
    ("gzip_bad_crc.xml.gz", "CRC"),
    ("xml_two_roots.xml", "after document element"),
    ("xml_bom_only.xml", "empty"),
    ("json_named_xml.xml", "no results"),
    ("xml_lone_surrogate_bytes.xml", "not UTF-8"),
    ("xml_nul_charref.xml", r"the control character U\+0000"),
    ("json_array_of_null.json", "format is unknown"),
    ("reportlog_one_bad_line_in_middle.jsonl", "Line 2"),
    ("gzip_bomb_2gb.xml.gz", "times its size"),
    ("zip_nested_5_levels.zip", "No report was found"),
    ("zip_corrupt_crc.zip", "damaged"),
    ("tar_slip.tar.gz", "tar archive"),
]
READ = [  # file, outcomes, first name, its duration
    ("xml_external_entity_file.xml", {"failed": 1}, "c::a", None),
    ("xml_external_entity_http.xml", {"failed": 1}, "c::a", None),
    ("xml_stylesheet_pi.xml", {"passed": 1}, "c::a", None),
    ("xml_utf16_bom.xml", {"passed": 1}, "c::Überprüfung ✓", None),
    ("xml_shift_jis_declared.xml", {"passed": 1}, "c::テスト", None),
    ("num_time_1e308.xml", {"passed": 1}, "c::t", None),
    ("num_time_inf.xml", {"passed": 1}, "c::t", None),
    ("num_time_comma_decimal.xml", {"passed": 1}, "c::t", 0.75),
    ("num_time_unit.xml", {"passed": 1}, "c::t", None),
    ("num_time_underscore.xml", {"passed": 1}, "c::t", None),
    ("num_two_1e308.xml", {"passed": 2}, "c::t1", None),
    ("date_9999.xml", {"passed": 1}, "c::ok", 0.1),
    ("date_feb30.xml", {"passed": 1}, "c::ok", 0.1),
    ("date_epoch_ms.xml", {"passed": 1}, "c::ok", 0.1),
    ("date_text.xml", {"passed": 1}, "c::ok", 0.1),
    ("xml_property_links.xml", {"passed": 1}, "c::a", None),
    ("json_int_5000_digits.json", {"passed": 1}, "a", None),
    ("json_nan_literal.json", {"passed": 3}, "a", None),
    ("json_utf16.json", {"passed": 1}, "ä", 0.001),
    ("zip_symlink.zip", {"passed": 1}, "c::ok", 0.1),
    ("junit_html_in_file_name.xml", {"passed": 1}, "c::ok", 0.1),
    ("junit_rtl_override_in_file_name.xml", {"passed": 1}, "c::ok", 0.1),
    ("xml_two_1mb_names_same_prefix.xml", {"passed": 1, "failed": 1}, None, None),
    ("xml_200k_suites.xml.gz", {"passed": 200_000}, "k000000::t", 0.001),
]


def read_hostile(name):
    with (shared_folder("hostile") / name).open("rb") as stream:
        upload = open_reports(stream, name=name)
        reports = [(facts, list(rows)) for facts, rows in upload]
    cases = sum((facts.cases for facts, _ in reports), Counter())
    return cases, [row for _, rows in reports for row in rows], upload.skipped


@pytest.mark.parametrize(("name", "reason"), REFUSED)
def test_a_hostile_report_is_refused_with_its_name_and_the_cause(name, reason):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableReport, match=reason) as refusal:
        read_hostile(name)

    assert name.split(".")[0].rstrip("0123456789") in str(refusal.value) or "n0.zip" in str(refusal.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # kB


@pytest.mark.parametrize(("name", "outcomes", "nodeid", "duration"), READ)
def test_a_strange_report_is_read_exactly(name, outcomes, nodeid, duration):
    cases, rows, _ = read_hostile(name)

    assert cases == outcomes
    assert nodeid in {rows[0].nodeid, None}
    assert duration is None or rows[0].duration == duration
    assert all(row.duration is None or row.duration < 1e10 for row in rows)
    assert "root:" not in str(rows[:10])


def test_every_hostile_file_is_judged():
    folder = shared_folder("hostile")
    with (folder.parent / "index.csv").open() as lines:
        names = {row["file"].split("/")[-1] for row in csv.DictReader(lines) if row["area"] == "hostile"}

    assert names == {name for name, *_ in [*REFUSED, *READ]}


def test_two_long_names_with_one_beginning_stay_two():
    _, rows, _ = read_hostile("xml_two_1mb_names_same_prefix.xml")

    assert len({row.nodeid for row in rows}) == 2
    assert all(len(row.nodeid.encode()) <= Limits().name_bytes for row in rows)


def test_a_zip_that_holds_nothing_is_said_to_be_empty():
    packed = io.BytesIO()
    zipfile.ZipFile(packed, "w").close()

    with pytest.raises(UnreadableReport, match=r"No report was found\. The zip is empty\."):
        read_all(packed.getvalue())


def test_what_is_left_out_of_a_zip_is_said():
    assert read_hostile("zip_symlink.zip")[2] == [
        "link.xml: a link, which is never followed",
        "dir: a link, which is never followed",
    ]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (b"<failure>\x1b[31mred</failure>", r"the control character U\+001B.*NO_COLOR"),
        (b"<failure message='\x07'/>", r"the control character U\+0007"),
        (b"<failure>&#x1b;</failure>", r"it names the control character U\+001B"),
        (b"<failure>" + b"x" * 70_000 + b"\x00</failure>", r"the control character U\+0000"),
        ("<failure>\uffff</failure>".encode(), r"the character U\+FFFF"),
        (b"<failure>caf\xe9</failure>", r"the byte 0xE9 is not UTF-8\. Name the encoding"),
        (b"<failure message='a&b'/>", r"an & that begins no entity\. .* &amp;"),
        (b"<failure message='a<b'/>", r"a < within the value of an attribute\. .* &lt;"),
        (b"<failure>a&nbsp;b</failure>", r"the entity &nbsp; is not known"),
        (b"<failure a='1' a='2'/>", r"duplicate attribute"),
    ],
)
def test_what_no_xml_may_hold_is_told_in_words_that_say_what_to_do(inside, reason):
    content = b"<testsuite>\n<testcase name='a'>" + inside + b"</testcase></testsuite>"

    with pytest.raises(UnreadableReport, match=rf"at line 2, column \d+: .*{reason}"):
        read_all(content)


def test_the_fault_is_named_in_every_encoding():
    wide = "<?xml version='1.0'?><testsuite><testcase name='ä\x07'/></testsuite>"

    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        with pytest.raises(UnreadableReport, match=r"control character U\+0007"):
            read_all(wide.encode(encoding))


def test_elements_are_nested_so_deep_and_no_deeper():
    deep = "<testsuite>" * 300 + "</testsuite>" * 300

    with pytest.raises(UnreadableReport, match="nested more than 200 deep"):
        read_all(deep)


def test_json_nested_without_end_is_refused():
    deep = '{"results": {"tool": ' + "[" * 200_000

    with pytest.raises(UnreadableReport, match=r"nested too deep|ends too early"):
        read_all(deep)


@pytest.mark.parametrize(
    "content",
    [
        '<testsuite name="' + "x" * 3_000_000,
        '{"results": {"tool": "' + "x" * 3_000_000,
        '{"$report_type": "' + "x" * 3_000_000,
    ],
)
def test_one_value_without_end_is_refused_at_the_limit(content):
    with pytest.raises(UnreadableReport, match=r"larger than|longer than"):
        read_all(content, limits=Limits(value_bytes=1_000_000))


def test_a_report_larger_than_the_limit_is_refused():
    with pytest.raises(UnreadableReport, match="larger than 1,000 bytes"):
        read_all(junit('<testcase name="a"/>' * 100), limits=Limits(unpacked_bytes=1_000))


@pytest.mark.parametrize("encoding", ["zlib", "unicode_escape", "idna", "klingon"])
def test_an_encoding_that_is_none_of_text_is_refused(encoding):
    with pytest.raises(UnreadableReport, match=r"encoding|unknown"):
        read_all(f'<?xml version="1.0" encoding="{encoding}"?><testsuite/>')


def test_names_and_texts_hold_nothing_a_database_refuses():
    report = {"name": "a\ud800", "status": "failed", "message": "m\x00", "trace": "t\udfff"}
    _, rows = read_all(json.dumps({"results": {"tool": {"name": "x"}, "tests": [report]}}))

    said = rows[0].nodeid + rows[0].message + rows[0].details
    assert said.encode("utf-8").count(b"\0") == 0
