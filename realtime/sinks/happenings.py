"""What viewers tell of a run beside its picture, from its events: that it records, and what becomes of an engine."""

from __future__ import annotations

from realtime.events import Event, EventBus


class Happenings:
    """What is known now.

    - `recording`: whether a file is being written.
    - `engine`: the one that was changed to, empty before. `loading`: the one that is being loaded, else empty.
    - `news`: what happened last, in a few words, and how many news there were.
    """

    def __init__(self) -> None:
        self.recording = False
        self.engine = self.loading = ""
        self.news = ("", 0)

    def follow(self, events: EventBus) -> None:
        """Hears of a run from now on."""
        events.subscribe(self.hear)

    def hear(self, event: Event) -> None:
        """Takes in one event, in the thread that publishes it."""
        about = event.details
        if event.kind == "recording_started":
            self.recording = True
        elif event.kind == "recording_finished":
            self.recording = False
        elif event.kind == "output_failed":
            self.recording = False
            self._tell("the recording ended: it cannot be written")
        elif event.kind == "engine_loading":
            self.loading = str(about["engine"])
        elif event.kind == "engine_changed":
            self.engine, self.loading = str(about["engine"]), ""
            self._tell(f"engine {self.engine}")
        elif event.kind == "engine_failed":
            self.loading = ""
            self._tell(f"engine {about['engine']} cannot be used, {about['stays']} goes on")

    def _tell(self, text: str) -> None:
        self.news = (text, self.news[1] + 1)
