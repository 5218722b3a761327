import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from groundswell.catalog import WorkingTree


def _git(folder, *arguments):
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **identity}
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    (folder / "inner").mkdir(parents=True)
    _git(folder, "init", "-b", "main")
    (folder / "fit.py").write_text("depth = 1\n")
    (folder / "inner" / "b c.py").write_text("x\n")
    _git(folder, "add", ".")
    _git(folder, "commit", "-m", "one")
    return folder


def test_a_clean_tree_has_a_commit_and_a_branch_and_no_changes(repository):
    tree = WorkingTree.around(repository / "inner")
    assert tree.commit == _git(repository, "rev-parse", "HEAD").decode().strip()
    assert (tree.branch, tree.changed, tree.dirty, tree.diff_digest) == ("main", (), False, None)
    assert Path(tree.root).samefile(repository)


def test_changed_new_removed_and_renamed_files_are_named(repository):
    (repository / "fit.py").write_text("depth = 2\n")
    (repository / "naïve é.py").write_text("new")
    _git(repository, "mv", "inner/b c.py", "inner/d e.py")
    tree = WorkingTree.around(repository)
    assert set(tree.changed) == {"fit.py", "inner/d e.py", "naïve é.py"}
    assert tree.n_changed == 3
    assert tree.diff_digest == hashlib.sha256(_git(repository, "diff", "HEAD")).hexdigest()
    (repository / "fit.py").write_text("depth = 3\n")
    assert WorkingTree.around(repository).diff_digest != tree.diff_digest


def test_an_untracked_file_alone_makes_it_dirty_without_a_diff(repository):
    (repository / "new.py").write_text("new")
    tree = WorkingTree.around(repository)
    assert (tree.changed, tree.dirty, tree.diff_digest) == (("new.py",), True, None)


def test_a_detached_head_has_no_branch_and_a_fresh_repository_no_commit(repository, tmp_path):
    _git(repository, "checkout", "--detach")
    assert WorkingTree.around(repository).branch is None
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    _git(fresh, "init", "-b", "main")
    (fresh / "a.py").write_text("")
    tree = WorkingTree.around(fresh)
    assert (tree.commit, tree.branch, tree.changed, tree.diff_digest) == (None, "main", ("a.py",), None)


def test_without_a_repository_or_without_git_there_is_none(repository, tmp_path, monkeypatch):
    bare = tmp_path / "bare.git"
    _git(tmp_path, "clone", "--bare", str(repository), str(bare))
    assert WorkingTree.around(bare) is None
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    assert WorkingTree.around(tmp_path / "plain") is None
    assert WorkingTree.around(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert WorkingTree.around(repository) is None


def test_a_git_that_does_not_answer_is_given_up(repository, tmp_path, monkeypatch):
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    monkeypatch.setattr("groundswell.catalog._working_tree._TIMEOUT_S", 0.2)
    assert WorkingTree.around(repository) is None


def test_programs_that_a_repository_configures_are_not_started(repository, tmp_path):
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/PWNED\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "diff.x.textconv", "diff.x.command"):
        _git(repository, "config", name, str(script))
    (repository / ".gitattributes").write_text("*.py diff=x\n")
    (repository / "fit.py").write_text("depth = 2\n")
    assert WorkingTree.around(repository).diff_digest is not None
    assert not (tmp_path / "PWNED").exists()
