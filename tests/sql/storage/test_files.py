"""Files are for their owner alone and never reached through a link, also one that was put there a moment ago."""

import os
import stat

import pytest

from sql.storage.files import open_private


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        open_private(tmp_path / "link", os.O_WRONLY | os.O_CREAT)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_for_its_owner_alone_under_an_open_umask(tmp_path):
    before = os.umask(0)
    try:
        with open_private(tmp_path / "file", os.O_WRONLY | os.O_CREAT) as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
