"""What can go wrong, as a caller sees it.

    RealtimeError               everything this package raises on purpose
    |-- SettingError            an argument outside its range, or two that exclude each other (also a ValueError)
    |-- SourceError             an input that cannot be read: missing, empty, not a video, a camera that is not there
    |   `-- SourceLost          a live input that was lost and did not come back in time
    |-- SinkError               an output that cannot be written: no folder, no permission, no display, disk full
    |-- WeightsError            a weights file that is missing, altered or of another network
    |-- DeviceError             a device that was asked for and is not there
    `-- TrainingError           data or a checkpoint that training cannot use, or a loss that is no number

Messages name the value, the limit and the remedy, on one line. The library error behind one is its ``__cause__``.
"""

from __future__ import annotations

import re


class RealtimeError(Exception):
    """Base of the errors this package raises on purpose. What they say never holds a password."""

    def __str__(self) -> str:
        return redacted(super().__str__())


class SettingError(RealtimeError, ValueError):
    """An argument outside its range, or two that exclude each other."""


class SourceError(RealtimeError):
    """An input that cannot be read."""


class SourceLost(SourceError):
    """A live input that was lost and did not come back within the time that was given."""


class SinkError(RealtimeError):
    """An output that cannot be written."""


class WeightsError(RealtimeError):
    """A weights file that is missing, altered or of another network."""


class DeviceError(RealtimeError):
    """A device that was asked for and is not there."""


class TrainingError(RealtimeError):
    """Data or a checkpoint that training cannot use, or a loss that is no number."""


class StopStreaming(Exception):
    """A sink wants no more frames: the viewer closed the window. Ends a run quietly; not an error."""


def redacted(address: str) -> str:
    """The text with users and passwords in addresses replaced."""
    # Up to the last @, as passwords may hold / and @; one slash is what a path makes of an address.
    hidden = re.sub(r"(?i)\b([a-z][a-z0-9+.-]+:/{1,2})\S*@", r"\1***@", address)
    return re.sub(r"(?i)([?&][^=&\s]*(?:pass|pwd|token|secret|key|auth)[^=&\s]*=)[^&\s]+", r"\1***", hidden)
