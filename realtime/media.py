"""The one place that imports PyAV, because the order of two imports matters.

On Linux the PyAV wheel brings a libxcb of its own; loaded before OpenCV's, it makes ``cv2.imshow`` hang for ever.
OpenCV first is fine, so it always comes first here. The rest of the package says ``from realtime.media import av``.
"""

# isort: off
import cv2
import av
# isort: on

av.logging.set_level(av.logging.PANIC)  # libav's own lines would tear the progress display; errors arrive as exceptions

__all__ = ["av", "cv2"]
