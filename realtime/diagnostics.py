"""What was chosen, repaired, skipped or left out in one run: typed, safe between threads, reported when it happens."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class Severity(Enum):
    """INFO: a choice, nothing is lost. WARNING: something is reduced or left out. DAMAGE: input could not be read."""

    INFO = "info"
    WARNING = "warning"
    DAMAGE = "damage"


class Counted(Enum):
    """Things that are counted rather than described one by one: severity, notice at the first one, summary."""

    REPAIRED_TIMESTAMPS = (
        Severity.WARNING,
        "timestamps are missing, repeated or out of order and are repaired",
        "timestamps repaired: {}",
    )
    SKIPPED_PACKETS = (
        Severity.DAMAGE,
        "the input is damaged; damaged places are skipped",
        "damaged places skipped: {}",
    )
    CONCEALED_FRAMES = (
        Severity.DAMAGE,
        "the input is damaged; the decoder patches frames up",
        "frames that the decoder could only patch up: {}",
    )
    MISSING_FRAMES = (
        Severity.DAMAGE,
        "frames are missing by what the file announces, or by the times of the others",
        "frames missing: {}",
    )
    MISSING_SECONDS = (
        Severity.DAMAGE,
        "the file is cut off before its announced end",
        "seconds missing at the end, the file was cut off: {}",
    )
    RESIZED_FRAMES = (
        Severity.WARNING,
        "frames of another size are resized to that of the first",
        "frames resized to the size of the first: {}",
    )
    LEFT_OUT_STREAMS = (Severity.WARNING, "", "")

    @property
    def severity(self) -> Severity:
        return self.value[0]

    @property
    def notice(self) -> str:
        return self.value[1]

    def summary(self, count: int) -> str:
        return self.value[2].format(count)


@dataclass(frozen=True)
class Message:
    """One sentence for the user, and how serious it is."""

    severity: Severity
    text: str


@dataclass(frozen=True)
class DamagedPlace:
    """Where the input is damaged, in seconds of its own time (None: nowhere in particular, as in an index), and what is
    wrong or missing there."""

    seconds: float | None
    text: str


def as_time(seconds: float) -> str:
    """Seconds as minutes and seconds: ``1:02.5``."""
    tenths = round(abs(seconds) * 10)
    return f"{'-' if seconds < 0 else ''}{tenths // 600}:{tenths % 600 / 10:04.1f}"


#: Damaged places that are kept; more are only counted.
MAX_PLACES = 1000


class Diagnostics:
    """The messages and counts of one run. Reading, enhancing and writing add to it from their own threads.

    Each text is kept once. A `subscribe`\\ d listener hears every message when it is added, and the first of each kind
    of counted thing when it is met, from the thread that met it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._counts: Counter[Counted] = Counter()
        self._places: list[DamagedPlace] = []
        self._listeners: list[Callable[[Message], None]] = []

    def subscribe(self, listener: Callable[[Message], None]) -> None:
        """Calls `listener` with every message from now on, and first with those that are already there."""
        with self._lock:
            self._listeners.append(listener)
            earlier = list(self._messages)
        for message in earlier:
            listener(message)

    def info(self, text: str) -> None:
        """Adds what was chosen; nothing is lost."""
        self._add(Message(Severity.INFO, text))

    def warn(self, text: str) -> None:
        """Adds what is reduced or left out."""
        self._add(Message(Severity.WARNING, text))

    def damage(self, text: str) -> None:
        """Adds what could not be read of the input; the run counts as damaged."""
        self._add(Message(Severity.DAMAGE, text))

    def count(self, kind: Counted, number: int = 1) -> None:
        """Counts `number` more of a kind; 0 changes nothing."""
        if not number:
            return
        with self._lock:
            first = not self._counts[kind]
            self._counts[kind] += number
            listeners = list(self._listeners) if first and kind.notice else []
        for listener in listeners:
            listener(Message(kind.severity, kind.notice))

    def place(self, seconds: Fraction | float | None, text: str) -> None:
        """Adds a damaged place to the list, which is a list only: `damage` or `count` say that something is lost."""
        with self._lock:
            if len(self._places) < MAX_PLACES:
                self._places.append(DamagedPlace(None if seconds is None else round(float(seconds), 3), text))

    @property
    def places(self) -> tuple[DamagedPlace, ...]:
        """The damaged places in the order in which they were found, at most `MAX_PLACES`."""
        with self._lock:
            return tuple(self._places)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages in their order, then a summary of each kind that was counted."""
        with self._lock:
            counted = [Message(k.severity, k.summary(n)) for k, n in self._counts.items() if n and k.summary(n)]
            return (*self._messages, *counted)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The texts of what is worse than information."""
        return tuple(m.text for m in self.messages if m.severity is not Severity.INFO)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each kind, by its name in lower case."""
        with self._lock:
            return {kind.name.lower(): number for kind, number in self._counts.items() if number}

    @property
    def damaged(self) -> bool:
        """Whether pictures or sound of the input were lost."""
        return any(m.severity is Severity.DAMAGE for m in self.messages)

    def _add(self, message: Message) -> None:
        with self._lock:
            if message in self._messages:
                return
            self._messages.append(message)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(message)
