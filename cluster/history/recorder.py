"""The writer of a history file. It hands each line to the system before the request that the line announces is sent.

If the driver dies, the file still says which writes may have landed. (Flushed to the kernel, not to the disk: the
evidence survives our death, not the machine's.)
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from cluster.history.line import SCHEMA, AnyLine, Completion, Header


class Recorder:
    """Writes one history file, one JSON object a line (cluster.history.line). Not for several threads at once."""

    def __init__(
        self, path: Path, *, strategy: str = "", write_path: str = "", seed: int = 0, started_at: str = ""
    ) -> None:
        """Create `path`, with its header. Raises FileExistsError: a history is evidence and is never overwritten."""
        self.path = path
        self.index = 0
        """The index that the next line must bear."""
        self._file: BinaryIO = path.open("xb")
        self._encode = msgspec.json.Encoder().encode
        self.write(Header(0, SCHEMA, strategy=strategy, write_path=write_path, seed=seed, started_at=started_at))

    def write(self, line: AnyLine) -> None:
        """Add a line. All but completions are flushed; those go with the next line, as nothing hangs on them."""
        assert line.index == self.index, f"line {line.index} written as line {self.index}"
        self.index += 1
        self._file.write(self._encode(line) + b"\n")
        if not isinstance(line, Completion):
            self._file.flush()

    def close(self) -> None:
        """Write what is left; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        """The recorder itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, whatever happened."""
        self.close()
