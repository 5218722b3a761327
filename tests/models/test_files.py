import hashlib
import io

import pytest

from groundswell.models._files import digest_of, write_durably


def test_what_is_written_is_there_with_its_digest(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    digest = write_durably(path, [b"ab", b"", b"c"])
    assert path.read_bytes() == b"abc"
    assert digest == hashlib.sha256(b"abc").hexdigest() == digest_of(io.BytesIO(b"abc"))
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_durably(path, [b"old"])

    def blocks():
        yield b"new"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_durably(path, blocks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
