"""Reading of valid, damaged and hostile archives."""

from __future__ import annotations

import gzip
import io
import random
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from moodring.errors import MoodringError
from moodring.sources.archives import decode, read_tar, read_zip

NOISE = random.Random(0).randbytes(30_000)  # noqa: S311 - random bytes, which compression cannot shorten
OUTSIDE = [
    "/etc/passwd",
    "../up.txt",
    "a/../../up.txt",
    "..\\up.txt",
    "a\\..\\..\\up.txt",
    "\\up.txt",
    "C:/up.txt",
]


def make_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def whole_tar(path: Path) -> list[tuple[str, bytes]]:
    return list(read_tar(path, lambda name: True))


def test_a_tar_yields_the_wanted_files_in_archive_order(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"b.txt": b"2", "no.bin": b"x", "a.txt": b""})
    read = list(read_tar(path, lambda name: name.endswith(".txt")))
    assert read == [("b.txt", b"2"), ("a.txt", b"")]


def test_a_zip_gives_the_named_members(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": b"1", "b": b"2", "c": b"3"})
    assert read_zip(path, ["c", "a"]) == {"c": b"3", "a": b"1"}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_tar_with_a_member_outside_its_directory_is_refused(tmp_path: Path, name: str) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"good.txt": b"1", name: b"2"})
    with pytest.raises(MoodringError, match=re.escape(repr(name))):
        whole_tar(path)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_zip_with_a_member_outside_its_directory_is_refused(tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path / "a.zip", {"good.txt": b"1", name: b"2"})
    with pytest.raises(MoodringError, match=re.escape(repr(name))):
        read_zip(path, ["good.txt"])


def test_names_that_contain_dots_are_read(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"./a..b/...txt": b"1"})
    assert whole_tar(path) == [("./a..b/...txt", b"1")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_members_that_are_not_regular_files_are_skipped(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("other")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
        archive.addfile(tarfile.TarInfo("file"))
    assert whole_tar(path) == [("file", b"")]


def outcome(path: Path) -> list[tuple[str, bytes]] | str:
    try:
        return whole_tar(path)
    except MoodringError as error:
        return str(error)


@pytest.mark.parametrize("kept", [0, 5, 1000, 20_000])
def test_a_tar_that_is_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"a.txt": NOISE})
    path.write_bytes(path.read_bytes()[:kept])
    assert "a.tar.gz is truncated or damaged" in outcome(path)


def test_no_cut_of_a_tar_loses_members_silently(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {f"{i}.txt": NOISE[i * 700 :][:700] for i in range(30)})
    content, whole = path.read_bytes(), whole_tar(path)
    lost = []
    for kept in range(0, len(content), 61):
        path.write_bytes(content[:kept])
        if not isinstance(read := outcome(path), str) and read != whole:
            lost.append(kept)
    assert lost == []


def test_a_tar_with_changed_bytes_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"a.txt": NOISE})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "a.tar.gz is truncated or damaged" in outcome(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>404</html>" * 100, gzip.compress(b"no tar" * 500, mtime=0)],
    ids=["empty", "a web page", "another compressed file"],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(MoodringError, match=r"a\.bin is truncated or damaged"):
        whole_tar(path)
    with pytest.raises(MoodringError, match=r"a\.bin is truncated or damaged"):
        read_zip(path, ["a"])


def test_a_zip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": NOISE})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(MoodringError, match="truncated or damaged"):
        read_zip(path, ["a"])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_member_with_changed_bytes_is_refused(tmp_path: Path, method: int) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": NOISE}, method)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(MoodringError, match=r"a\.zip is truncated or damaged"):
        read_zip(path, ["a"])


def test_the_error_for_a_zip_without_a_member_names_the_member(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a": b"1"})
    with pytest.raises(MoodringError, match=r"a\.zip does not hold 'b'"):
        read_zip(path, ["a", "b"])


def test_valid_utf8_is_decoded() -> None:
    assert decode("schön \U0001f600".encode(), "a.txt") == "schön \U0001f600"


def test_the_error_for_invalid_utf8_names_the_byte_and_its_position() -> None:
    with pytest.raises(MoodringError, match=r"a\.txt is not valid UTF-8: byte 0xe9 at 3\b"):
        decode("café".encode("latin-1"), "a.txt")
