"""Relaying: the outbox's relay as a thread beside a follower, where the settings name an outbox.

It is a thread of its own, because a database that is away keeps it waiting for seconds, and the lease does not wait.
"""

import logging
import random
import threading

from tocsin.clock import Clock
from tocsin.diary import Diary
from tocsin.message import names_in
from tocsin.names import Names
from tocsin.outbox.opening import outbox_at
from tocsin.position import Position
from tocsin.relay import Relay
from tocsin.sequenced import unique
from tocsin.sequencer import Sequencer
from tocsin.settings import CacheSettings

log = logging.getLogger("tocsin.relay")


class RelayThread:
    """The relay of one agent, or of one worker that follows by itself. Does nothing where there is no outbox."""

    def __init__(
        self, settings: CacheSettings, sequencer: Sequencer, *, clock: Clock, diary: Diary | None = None
    ) -> None:
        self._settings = settings
        self._sequencer = sequencer
        self._clock = clock
        self._diary = diary or Diary()
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork: the thread did not survive it."""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. Raises `SettingsError` if the outbox can't be opened here."""
        if not self._settings.outbox_url:
            return
        relay = Relay(
            outbox_at(self._settings.outbox_url),
            self._finish,
            now=self._clock.now,
            chance=random.random,
            tell=log.warning,
            relayed=self._diary.relayed,
        )
        ending = self._ending = threading.Event()
        self._thread = threading.Thread(
            target=relay.follow,
            args=(ending.is_set, ending.wait),
            name=f"tocsin-relay {self._settings.node}",
            daemon=True,  # a database that does not answer must not keep the process from ending
        )
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Ask the thread to end, and wait for that at most `within_s` seconds."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            thread.join(within_s)

    def _finish(self, names: Names) -> Position:
        # The dead writer's own entry is left to its deadline: its id died with it. Until then readers of these names
        # ask the database and keep nothing.
        return self._sequencer.finish(unique(), names_in(names)).position
