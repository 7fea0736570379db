"""Reads members of zip and tar archives into memory; nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from moodring.errors import MoodringError

MAX_MEMBER_BYTES = 256 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


def read_tar(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each wanted regular file of a (compressed) tar, in archive order.

    Raises:
        MoodringError: the archive is truncated or damaged, or a member's path leaves its directory.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # tarfile would keep every member
                _check_name(path, member.name)
                if not member.isfile() or not wanted(member.name):
                    continue
                _check_size(path, member.name, member.size)
                stream = archive.extractfile(member)
                content = stream.read() if stream else b""
                if len(content) != member.size:
                    raise EOFError(f"{member.name} is cut off")
                yield member.name, content
            # Read to the end: only the checksum there reveals a cut or a changed bit.
            while archive.fileobj and archive.fileobj.read(1 << 20):
                pass
    except _BROKEN as error:
        raise _damaged(path, error) from error


def read_zip(path: Path, names: list[str]) -> dict[str, bytes]:
    """Read the named members of a zip archive; returns the bytes of each by name.

    Raises:
        MoodringError: the archive is damaged or lacks a name, or a member's path leaves its directory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            present = archive.namelist()
            for name in present:
                _check_name(path, name)
            contents = {}
            for name in names:
                if name not in present:
                    raise MoodringError(f"{path.name} does not hold {name!r}: is it the right archive?")
                _check_size(path, name, archive.getinfo(name).file_size)
                contents[name] = archive.read(name)
            return contents
    except (*_BROKEN, RuntimeError) as error:
        raise _damaged(path, error) from error


def decode(content: bytes, name: str) -> str:
    """Decode UTF-8 strictly.

    Raises:
        MoodringError: the content is not UTF-8; the message names the file, the byte and its position.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MoodringError(
            f"{name} is not valid UTF-8: byte 0x{content[error.start]:02x} at {error.start}. "
            "Convert the file to UTF-8."
        ) from error


def _check_name(path: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        raise MoodringError(
            f"{path.name} has a member outside the archive's directory: {name!r}. Use another archive."
        )


def _check_size(path: Path, name: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        raise MoodringError(
            f"{path.name} has the member {name!r} of {size} bytes; the limit is {MAX_MEMBER_BYTES}. "
            "Use another archive."
        )


def _damaged(path: Path, error: Exception) -> MoodringError:
    return MoodringError(
        f"{path.name} is truncated or damaged ({type(error).__name__}: {error}). Fetch it again."
    )
