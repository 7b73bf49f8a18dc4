"""The words of `batch` and what each takes."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from batches.management.desk import add_json
from tracking.management.base import positive

LARGEST = 10_000  # edits of a batch
WORDS = {
    "record": "record an edit; the last one of a batch runs the tests",
    "test": "run the tests now",
    "status": "show the current batch and all before",
    "backup": "write the files of a batch as they were before it; for the next batch, keep all there is",
    "rollback": "bring back what was before a batch, and run the tests",
    "reset": "begin anew; the history stays",
    "baseline": "run the tests and keep the results as the baseline",
    "compare": "run the tests and hold them against the baseline",
    "watch": "record every change by itself",
    "settings": "show what this workspace uses, and set it: --batch-size N, --python P (auto: found anew)",
    "install-hook": "record after every commit",
}


def add_words(parser: CommandParser, add_place: Callable[[Any], None]) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    for word, text in WORDS.items():
        made = words.add_parser(word, help=text, description=text, conflict_handler="resolve")
        add_place(made)
        add_json(made)
        if word in {"backup", "rollback"}:
            made.add_argument("number", type=positive, metavar="N", help="number of the batch")
        made.add_argument(
            "--batch-size", type=batch_size, default=None, metavar="N", help="edits of a batch from now on"
        )
    record = words.choices["record"]
    record.add_argument("file")
    record.add_argument("text", nargs="?", default="")
    record.add_argument("-d", "--description", default="")
    words.choices["test"].add_argument(
        "-p", dest="pattern", type=at_most(255), default="", metavar="PATTERN", help='as in "test_*.py"'
    )
    for word in ("test", "rollback", "baseline", "compare"):
        words.choices[word].add_argument(
            "--background", action="store_true", help="by the worker of this machine"
        )
    back = words.choices["rollback"]
    back.add_argument("--force", action="store_true", help="overwrite what was never recorded, too")
    back.add_argument("--undo", action="store_true", help="take the rollback back")
    back.add_argument("--dry-run", action="store_true", help="show what it would do")
    back.add_argument("--no-test", action="store_true", help="do not run the tests afterwards")
    words.choices["install-hook"].add_argument("--uninstall", action="store_true")
    for word in ("baseline", "compare"):
        words.choices[word].add_argument(
            "--name", type=at_most(100), default="default", help="of the baseline"
        )


def batch_size(text: str) -> int:
    number = positive(text)
    if number > LARGEST:
        raise ArgumentTypeError(f"{text} edits are no batch any more: at most {LARGEST}")
    return number


def at_most(length: int) -> Callable[[str], str]:
    """A text that the database takes, for argparse."""

    def text_of(text: str) -> str:
        if len(text) > length:
            raise ArgumentTypeError(f"it is longer than {length} characters")
        return text

    return text_of
