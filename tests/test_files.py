"""A file is written whole or not at all, by many at once too, and stays what it was."""

import os
import stat
import threading

import pytest

from minigrad.files import write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_is_utf_8_and_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write(str(path), b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert names(path.parent) == ["b.txt"]


def test_threads_that_write_one_file_do_not_tear_it(tmp_path):
    path = tmp_path / "shared"
    contents = [bytes([i]) * 500_000 for i in range(6)]
    failed = []

    def work(content):
        try:
            for _ in range(8):
                write(path, content)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=[content]) for content in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert path.read_bytes() in contents
    assert failed == []
    assert names(tmp_path) == ["shared"]


@pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
def test_mode_and_link_stay(tmp_path):
    secret, link = tmp_path / "secret", tmp_path / "links" / "link"
    secret.write_text("old")
    secret.chmod(0o600)
    link.parent.mkdir()
    link.symlink_to("../secret")
    write(link, "new")
    assert secret.read_text() == "new"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert str(link.readlink()) == "../secret"
    assert names(tmp_path) == ["links", "secret"]
    assert names(link.parent) == ["link"]

    before = os.umask(0o027)
    try:
        write(tmp_path / "fresh", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o640


def test_the_content_is_on_the_disk_before_the_file_is_moved(tmp_path, monkeypatch):
    steps = []
    flush, move = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append(os.fstat(fd).st_size), flush(fd)))
    monkeypatch.setattr(os, "replace", lambda *names: (steps.append("moved"), move(*names)))
    write(tmp_path / "file", b"12345")
    assert steps == [5, "moved"]


def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write(path, "old")

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]
    with pytest.raises(IsADirectoryError if os.name == "posix" else OSError):
        write(tmp_path, "new")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names as POSIX has them")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe, "through")
    reader.join(10)
    assert read == [b"through"]
    assert pipe.is_fifo()
