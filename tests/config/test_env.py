import multiprocessing
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env, places


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.number("X_NAME", 1, minimum=1), "0"),
        (lambda: env.number("X_NAME", 1), "two"),
        (lambda: env.flag("X_NAME", True), "perhaps"),
        (lambda: env.one_of("X_NAME", "a", ["a", "b"]), "c"),
        (lambda: env.folder("X_NAME", Path("/tmp")), "/proc/nowhere"),
        (lambda: env.database("X_NAME", Path("x")), "mysql://host/x"),
        (lambda: env.database("X_NAME", Path("x")), "postgresql://host"),
        (lambda: env.redis("X_NAME", "redis://h"), "http://host"),
    ],
)
def test_a_malformed_value_stops_the_start_and_names_the_variable(monkeypatch, read, value):
    monkeypatch.setenv("X_NAME", value)

    with pytest.raises(ImproperlyConfigured, match="X_NAME"):
        read()


def test_a_password_in_a_malformed_url_is_not_told(monkeypatch):
    monkeypatch.setenv("X_NAME", "postgresql://user:hunter2@host:notaport/x")

    with pytest.raises(ImproperlyConfigured) as problem:
        env.database("X_NAME", Path("x"))

    assert "hunter2" not in str(problem.value)


@pytest.mark.parametrize(("value", "flag"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_flags_are_read_in_many_spellings(monkeypatch, value, flag):
    monkeypatch.setenv("X_NAME", value)

    assert env.flag("X_NAME", False) is flag


def test_a_secret_may_lie_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("X_NAME_FILE", str(tmp_path / "secret"))

    assert env.secret("X_NAME") == "hush"


def test_a_database_over_a_socket_is_understood(monkeypatch):
    monkeypatch.setenv("X_NAME", "postgresql://postgres@/runtrail?host=/tmp/socket")

    entry = env.database("X_NAME", Path("x"))

    assert entry["ENGINE"].endswith("postgresql")
    assert entry["NAME"] == "runtrail"
    assert "/tmp/socket" in (entry.get("HOST"), entry.get("OPTIONS", {}).get("host"))


def test_two_first_starts_at_once_read_the_same_key(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        keys = pool.map(places.kept_secret, [tmp_path / "secret_key"] * 8)

    assert len(set(keys)) == 1
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_socket_path_is_short_however_deep_the_checkout_lies():
    folder = places.socket_folder(Path("/" + "very/deep/" * 30))

    assert len(str(folder / "valkey.sock")) < 100


def test_a_new_folder_is_for_its_owner_only_and_one_that_is_there_stays_as_it_is(tmp_path, monkeypatch):
    old = tmp_path / "old"
    old.mkdir(mode=0o755)

    made = env.folder("X_NAME", tmp_path / "new")
    monkeypatch.setenv("X_NAME", str(old))

    assert made.stat().st_mode & 0o777 == 0o700
    assert env.folder("X_NAME", tmp_path).stat().st_mode & 0o777 == 0o755
