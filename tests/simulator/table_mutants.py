"""Mutants of the generation table: each breaks one rule of the order, and must be convicted by the search."""

from tocsin.generation import APPLIED, CHANGE, DEADLINE, EPOCH, HEADER_WORDS, Generations, Keeper
from tocsin.position import Position
from tocsin.proof import Proof, Stamp


class SlotsBeforeApplied(Generations):
    """C10a: reads `applied` after the slots."""

    def _prove(self, stamp: Stamp, now_s: float, since: int) -> str:
        change = self.words[CHANGE]
        if self.words[EPOCH] != stamp.epoch or now_s >= self.moments[DEADLINE]:
            return "epoch"
        if any(self.words[HEADER_WORDS + slot] > stamp.base for slot in stamp.slots):
            return "invalidated"
        stamp.proof = Proof(change, self.words[APPLIED])
        return "epoch" if self.words[EPOCH] != stamp.epoch else ""


class SlotsBeforeDeadline(Generations):
    """C10b: reads the deadline after the slots."""

    def _prove(self, stamp: Stamp, now_s: float, since: int) -> str:
        if self.words[EPOCH] != stamp.epoch:
            return "epoch"
        if any(self.words[HEADER_WORDS + slot] > stamp.base for slot in stamp.slots):
            return "invalidated"
        return "lease" if now_s >= self.moments[DEADLINE] else ""


class EpochOnce(Generations):
    """C10c: reads the epoch before the slots, and not again."""

    def _prove(self, stamp: Stamp, now_s: float, since: int) -> str:
        if self.words[EPOCH] != stamp.epoch or now_s >= self.moments[DEADLINE]:
            return "epoch"
        return "invalidated" if any(self.words[HEADER_WORDS + slot] > stamp.base for slot in stamp.slots) else ""


class ChangeBeforeDeadline(Generations):
    """The fast path with its two loads the other way round."""

    def doubt(self, stamp: Stamp, now_s: float, since: int | None = None) -> str:
        """Compare the change, then the deadline."""
        if self.words[CHANGE] == stamp.proof.change and now_s < self.moments[DEADLINE]:
            return ""
        return self._prove(stamp, now_s, since or 0)


class ChangeAfterSlots(Generations):
    """Remembers the change that it finds when the slots have been compared."""

    def _prove(self, stamp: Stamp, now_s: float, since: int) -> str:
        doubt = super()._prove(stamp, now_s, since)
        if not doubt:
            stamp.proof.change = self.words[CHANGE]
        return doubt


class AppliedFirst(Keeper):
    """Stores `applied` before the slot."""

    def apply(self, sequence: int, names: tuple[str, ...]) -> None:  # type: ignore[override]
        """Apply in the wrong order."""
        self._words[APPLIED] = sequence
        super().apply(sequence, names)


class EpochFirst(Keeper):
    """C11: a flush that stores the new epoch before it has made anything true of it."""

    def flush(self, position: Position) -> None:
        """Flush in the wrong order."""
        self.suspend()
        self._words[EPOCH] = position.epoch
        self._words[HEADER_WORDS] = position.sequence
        self._words[APPLIED] = position.sequence
        self._next_change()


class SameChange(Keeper):
    """Takes a table over without a new change."""

    def take_over(self) -> Position:
        """Only end the lease."""
        self._moments[DEADLINE] = 0.0
        return Position(self._words[EPOCH], self._words[APPLIED])


class SuspendsQuietly(Keeper):
    """Ends the lease in a way that those who remember its deadline do not see."""

    def suspend(self) -> None:
        """Only take the deadline away."""
        self._moments[DEADLINE] = 0.0


class SharesTheLatest(Generations):
    """Lets all entries proved at one change share what the last of them was proved up to."""

    def _proof(self, change: int, applied: int, until_s: float, since: int) -> Proof:
        proof = super()._proof(change, applied, until_s, since)
        for each in self._proofs:
            if each.change == change:
                each.applied = max(each.applied, applied)
        return proof


class NoRounds(Generations):
    """Lets live what was found before the reader was told to forget."""

    def _proof(self, change: int, applied: int, until_s: float, since: int) -> Proof:
        return super()._proof(change, applied, until_s, self.round)


class ForgetsNothing(Generations):
    """Begins a new round and lets the proofs of the last one live."""

    def forget(self) -> None:
        self.round += 1
