"""Generation file: a node's table in memory that all its workers map, and the locks that say who is there.

    <folder>/table      the words, mapped for writing by the agent and for reading by the workers
    <folder>/agent      locked by the agent for life: one writer, always
    <folder>/workers    locked (shared) by every worker for life: the agent ends when nobody holds it
    <folder>/diary      what the agent has counted (`tocsin.diary`), renewed every second

A lock is held by an open file and let go by the kernel when its last holder dies, however it dies: there is no stale
pid to judge. What always holds: the table is written only by who holds the agent's lock; a file of another format or
size is never mapped, but replaced by the next agent; workers can't write what they map.

Only on x86-64. There other processes see stores in the order in which they were made, which is the order that
`tocsin.generation` needs; on other machines each worker follows the log by itself.
"""

import contextlib
import fcntl
import hashlib
import mmap
import os
import platform
import tempfile
from pathlib import Path

import msgspec

from tocsin.diary import Page
from tocsin.generation import FORMAT, SLOTS, Memory, format_of, memory_over, size_bytes

DIARY = "diary"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder below it is private, and checked


def can_be_shared() -> bool:
    """Whether processes of this machine see each other's stores in order."""
    return platform.machine() in ("x86_64", "AMD64")


def folder_for(redis_url: str, namespace: str, node: str) -> Path:
    """Return the folder of a node's table: the same for all its workers, another one for every other node.

    It is in memory where the machine has a file system for that, below a folder of this user's own.
    """
    root = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    digest = hashlib.sha256("\n".join((redis_url, namespace, node)).encode()).hexdigest()[:16]
    return root / f"tocsin-{os.getuid()}" / f"{namespace}-{digest}"


class GenerationFile:
    """The files of one node."""

    def __init__(self, folder: Path, *, slots: int = SLOTS) -> None:
        self.folder = folder
        self._slots = slots

    def prepare(self) -> None:
        """Make the folder; raise `PermissionError` if it is not this user's alone, or others may write the one above.

        Others could put a table of their own there, and so decide what is a hit. That they may look into the folder
        above does no harm, and some container engines let them: a tmpfs of mode 0700 comes back as 0755.
        """
        for folder, not_for_others in ((self.folder.parent, 0o022), (self.folder, 0o077)):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            status = folder.lstat()
            if status.st_uid != os.getuid() or status.st_mode & not_for_others:
                raise PermissionError(
                    f"{folder} holds the table of a node and must be this user's, without the rights"
                    f" {not_for_others:03o} for others: it belongs to user {status.st_uid} with mode"
                    f" {status.st_mode & 0o777:04o}; remove it"
                )

    def lock_agent(self) -> int | None:
        """Return the agent's lock as an open file, which whoever inherits it holds too; None if there is an agent."""
        return self._lock("agent", fcntl.LOCK_EX | fcntl.LOCK_NB)

    def join_workers(self) -> int:
        """Return this worker's presence as an open file; it lasts until the file is closed.

        The agent takes the lock for a moment when it looks whether anybody is there; that moment is waited for.
        """
        present = self._lock("workers", fcntl.LOCK_SH)
        assert present is not None, "a lock that is waited for is got"
        return present

    def anybody_there(self) -> bool:
        """Whether any worker is present."""
        alone = self._lock("workers", fcntl.LOCK_EX | fcntl.LOCK_NB)
        if alone is None:
            return True
        os.close(alone)
        return False

    def map_to_write(self) -> Memory:
        """Map the table for its one writer, who holds the agent's lock; make it anew if it is of another format."""
        path = self.folder / "table"
        length = size_bytes(self._slots)
        if not path.exists() or path.stat().st_size != length or self._format(path) not in (0, format_of(self._slots)):
            fresh = path.with_name("table.new")
            fresh.write_bytes(bytes(length))
            # Whoever has mapped the old one keeps it; its lease is never renewed again, and they map anew.
            fresh.replace(path)
        with path.open("r+b") as file:
            return memory_over(memoryview(mmap.mmap(file.fileno(), length)), self._slots)

    def map_to_read(self) -> Memory | None:
        """Map the table as a worker; None if there is none of this format yet."""
        path = self.folder / "table"
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != size_bytes(self._slots):
                    return None
                raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError:
            return None
        memory = memory_over(raw, self._slots)
        return memory if memory.words[FORMAT] == format_of(self._slots) else None

    def write_diary(self, page: Page) -> None:
        """Replace the diary's page: a reader finds the old one or the new one, never half of one."""
        written = self.folder / f"{DIARY}.new"
        written.write_bytes(msgspec.json.encode(page))
        written.replace(self.folder / DIARY)

    def identity(self) -> tuple[int, int]:
        """Return which file the table is now; a worker that mapped another one maps anew."""
        try:
            status = (self.folder / "table").stat()
        except FileNotFoundError:
            return (0, 0)
        return (status.st_dev, status.st_ino)

    def _lock(self, name: str, how: int) -> int | None:
        file = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        return file

    def _format(self, path: Path) -> int:
        with path.open("rb") as file:
            return int.from_bytes(file.read(8), "little")
