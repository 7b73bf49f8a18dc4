"""The tree of the working tree is the tree of the commit that is made of it."""

import os
import subprocess
import sys
import time

import pytest

from runtrail.git import WorkingTree
from tests.client.sessions import SOURCE


class Repository:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "a")
        self.git("config", "user.email", "a@example.org")
        self.git("config", "commit.gpgsign", "false")

    def git(self, *words, **variables):
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, name, text="x\n"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a")
        return self.git("rev-parse", "HEAD^{tree}")

    def tree_hash(self, folder=None, **variables):
        tree = WorkingTree(folder or self.folder, {**os.environ, **variables})
        tree.begin_hashing()
        return tree.finish_hashing(20)


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "repository")
    made.write(".gitignore", "ignored/\n*.log\n")
    made.write("a.py")
    made.write("package/b.py")
    made.write("package/c.py")
    made.commit()
    return made


def submodule(repository):
    other = Repository(repository.folder.parent / "other")
    other.write("inside.py")
    other.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.folder), "module")


CHANGES = {
    "nothing": lambda repo: None,
    "a changed file": lambda repo: repo.write("a.py", "changed\n"),
    "an untracked file": lambda repo: repo.write("new/d.py"),
    "an ignored file": lambda repo: (repo.write("ignored/e.py"), repo.write("run.log")),
    "a deleted file": lambda repo: (repo.folder / "package/b.py").unlink(),
    "a renamed file": lambda repo: (repo.folder / "a.py").rename(repo.folder / "z.py"),
    "an executable bit": lambda repo: (repo.folder / "a.py").chmod(0o755),
    "a symbolic link": lambda repo: (repo.folder / "link").symlink_to("package/b.py"),
    "a file that became a link": lambda repo: (
        (repo.folder / "a.py").unlink(),
        (repo.folder / "a.py").symlink_to("package"),
    ),
    "a link that leads nowhere": lambda repo: (repo.folder / "link").symlink_to("nowhere"),
    "a file that became a folder": lambda repo: ((repo.folder / "a.py").unlink(), repo.write("a.py/b.py")),
    "a submodule": submodule,
    "staged and changed again": lambda repo: (
        repo.write("a.py", "staged\n"),
        repo.git("add", "a.py"),
        repo.write("a.py", "again\n"),
    ),
    "a name with spaces and umlauts": lambda repo: repo.write("ein schöner name ;[*].py"),
    "an empty folder": lambda repo: (repo.folder / "empty").mkdir(),
    "added by intent only": lambda repo: (repo.write("f.py"), repo.git("add", "-N", "f.py")),
    "line ends converted": lambda repo: (
        repo.write(".gitattributes", "*.txt text\n"),
        (repo.folder / "g.txt").write_bytes(b"a\r\nb\r\n"),
    ),
    "same size, same second": lambda repo: repo.write("a.py", "y\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_is_the_tree_of_the_commit_made_next(repository, change):
    CHANGES[change](repository)

    found = repository.tree_hash()

    assert found == repository.commit()
    assert repository.tree_hash() == found


def test_it_is_the_same_from_any_folder_within(repository):
    repository.write("package/new.py")
    repository.write("beside.py")

    assert (
        repository.tree_hash(repository.folder / "package") == repository.tree_hash() == repository.commit()
    )


def test_nothing_in_the_repository_changes(repository):
    repository.write("a.py", "changed\n")
    repository.write("new.py")
    before = {path: path.read_bytes() for path in repository.folder.rglob("*") if path.is_file()}
    status = repository.git("status", "--porcelain", GIT_OPTIONAL_LOCKS="0")

    repository.tree_hash()

    after = {path: path.read_bytes() for path in repository.folder.rglob("*") if path.is_file()}
    assert after == before
    assert repository.git("status", "--porcelain", GIT_OPTIONAL_LOCKS="0") == status


@pytest.mark.parametrize(
    "name",
    [
        "test_batch_logs/batch_1/edits.json",
        "package/test_batch_logs/x",
        "performance_track_summary.json",
        "package/__pycache__/b.pyc",
        ".pytest_cache/v/x",
        ".hypothesis/x",
    ],
)
def test_what_runs_of_tests_write_is_left_out(repository, name):
    before = repository.tree_hash()

    repository.write(name)

    assert repository.tree_hash() == before


def test_what_is_left_out_counts_as_committed_where_it_is_committed(repository):
    repository.write("test_batch_logs/kept.json", "1\n")
    committed = repository.commit()

    repository.write("test_batch_logs/kept.json", "2\n")

    assert repository.tree_hash() == committed


def test_another_index_or_folder_of_objects_is_respected(repository):
    repository.write("a.py", "changed\n")
    index = repository.folder.parent / "index"

    repository.git("read-tree", "HEAD", GIT_INDEX_FILE=str(index))

    assert repository.tree_hash(GIT_INDEX_FILE=str(index)) == repository.commit()


def test_inside_a_hook_it_is_the_tree_of_the_commit_being_made(repository):
    hook = repository.write(
        ".git/hooks/pre-commit",
        f"#!{sys.executable}\nimport os, sys\nfrom pathlib import Path\nsys.path.insert(0, {str(SOURCE)!r})\n"
        "from runtrail.git import WorkingTree\ntree = WorkingTree(Path.cwd(), os.environ)\n"
        "tree.begin_hashing()\nPath('.git/seen').write_text(tree.finish_hashing(20))\n",
    )
    hook.chmod(0o755)
    repository.write("a.py", "changed\n")

    repository.git("commit", "-q", "-a", "-m", "b")

    assert (repository.folder / ".git/seen").read_text() == repository.git("rev-parse", "HEAD^{tree}")


def test_a_worktree_and_a_repository_without_commits_have_their_trees(repository, tmp_path):
    repository.git("worktree", "add", "-q", str(tmp_path / "second"))
    (tmp_path / "second" / "h.py").write_text("h\n")
    fresh = Repository(tmp_path / "fresh")
    fresh.write("a.py")

    assert repository.tree_hash(tmp_path / "second") not in ("", repository.tree_hash())
    assert fresh.tree_hash() == fresh.commit()


def test_outside_of_git_there_is_nothing(tmp_path):
    tree = WorkingTree(tmp_path, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    tree.begin_hashing()

    assert not tree
    assert (tree.branch, tree.commit, tree.finish_hashing(5)) == ("", "", "")


def test_without_git_there_is_nothing(repository):
    tree = WorkingTree(repository.folder, {"PATH": "/nowhere"})
    tree.begin_hashing()

    assert not tree
    assert tree.finish_hashing(5) == ""


def test_a_git_that_takes_too_long_is_not_waited_for(repository, tmp_path):
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        '#!/bin/sh\ncase "$*" in *" add "*) exec sleep 30;; esac\nPATH=${PATH#*:} exec git "$@"\n',
    )
    slow.chmod(0o755)
    tree = WorkingTree(repository.folder, {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"})
    tree.begin_hashing()
    begun = time.monotonic()

    assert tree.commit
    assert tree.finish_hashing(0.3) == ""
    assert time.monotonic() - begun < 3


def test_branch_commit_and_directory(repository):
    tree = WorkingTree(repository.folder / "package", os.environ)
    assert (tree.branch, tree.commit) == ("main", repository.git("rev-parse", "HEAD"))
    assert (tree.directory, WorkingTree(repository.folder, os.environ).directory) == ("package", "")

    repository.git("checkout", "-q", "--detach")

    assert WorkingTree(repository.folder, os.environ).branch == ""
