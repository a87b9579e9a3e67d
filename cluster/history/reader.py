"""Reads a history file, line by line: never the whole of it at once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cluster.history.columns import History
from cluster.history.gathering import Gathering
from cluster.history.line import AnyLine
from cluster.history.operation import HistoryError


def read_history(path: Path) -> History:
    """The history in the file `path`. A last line that was cut off (the driver died) is left out: `truncated`.

    Raises HistoryError where a line is malformed or contradicts those before it: the text names file, line and reason.
    Raises OSError where there is no such file, or it can't be read.
    """
    decode = msgspec.json.Decoder(AnyLine).decode
    gathering: Gathering | None = None
    truncated = False
    number = 0
    with path.open("rb", buffering=1 << 20) as file:
        try:
            for text in file:
                number += 1
                if not text.endswith(b"\n"):
                    truncated = True
                    break
                line: AnyLine = decode(text)
                if gathering is None:
                    gathering = Gathering(line)
                else:
                    gathering.feed(line)
        except (msgspec.DecodeError, HistoryError, UnicodeDecodeError) as error:
            raise HistoryError(f"{path}:{number}: {error}") from error
    if gathering is None:
        raise HistoryError(f"{path}: empty: not even a header")
    history = gathering.finish()
    history.truncated = truncated
    return history
