"""What viewers draw over a picture: before/after, figures, help, a lost connection. One definition for the window, the
page and snapshots.

All functions take and return uint8 RGB pictures (H, W, 3) and never change their input. The text is OpenCV's built-in
vector font, which needs no font file; sizes grow with the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.frame import Samples

WHITE, BLACK, AMBER, RED = (255, 255, 255), (0, 0, 0), (255, 190, 60), (235, 45, 35)
#: Text height is this share of the picture's height, but at least `SMALLEST_TEXT` pixels.
TEXT_SHARE, SMALLEST_TEXT = 1 / 36, 12
#: Width and height that a picture must have for text to be readable in it.
SMALLEST_PICTURE = (854, 480)
#: Height of a capital letter in pixels at font scale 1 of cv2.FONT_HERSHEY_SIMPLEX.
CAPITAL_HEIGHT = 22
ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class View:
    """How a viewer shows a stream.

    - `divider`: where before (left) meets after (right), 0..1 of the width; None shows the enhanced picture alone.
    - `side_by_side`: before and after beside each other, each in full.
    - `mirror`: left and right exchanged. `rotation`: clockwise, 0, 90, 180 or 270 degrees.
    - `figures`, `help`: text over the picture.
    """

    divider: float | None = None
    side_by_side: bool = False
    mirror: bool = False
    rotation: int = 0
    figures: bool = False
    help: bool = False

    @property
    def needs_original(self) -> bool:
        """Whether the picture before processing is shown as well."""
        return self.divider is not None or self.side_by_side


def compose(after: Samples, before: Samples | None, view: View) -> Samples:
    """The picture of a view without text. `before` has the size of `after`; None shows `after` alone."""
    after = _turned(after, view)
    if before is None or not view.needs_original:
        return after
    before = _turned(before, view)
    if view.side_by_side:
        return np.hstack([before, after])
    width = after.shape[1]
    column = round(min(max(view.divider or 0.0, 0.0), 1.0) * width)
    result = after.copy()
    result[:, :column] = before[:, :column]
    line = max(1, width // 640)
    result[:, max(column - line, 0) : column + line] = WHITE
    return result


def enlarged(picture: Samples) -> Samples:
    """A small picture made as large as text needs, `SMALLEST_PICTURE`; any other as it is."""
    height, width = picture.shape[:2]
    scale = min(SMALLEST_PICTURE[0] / width, SMALLEST_PICTURE[1] / height)
    if scale <= 1:
        return picture
    return np.asarray(cv2.resize(picture, (round(width * scale), round(height * scale))))


def letterboxed(picture: Samples, width: int, height: int) -> Samples:
    """The picture in the middle of black, with the aspect ratio of `width` x `height`; one that has it as it is."""
    rows, columns = picture.shape[:2]
    across = max(round(rows * width / height) - columns, 0) // 2
    down = max(round(columns * height / width) - rows, 0) // 2
    if not (across or down):
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, down, down, across, across, cv2.BORDER_CONSTANT, value=BLACK))


def grayed(picture: Samples, message: str) -> Samples:
    """The last picture of a lost stream: gray, darker, with a message in its middle."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    dimmed = cv2.cvtColor(cv2.convertScaleAbs(gray, alpha=0.5), cv2.COLOR_GRAY2RGB)
    return with_text(dimmed, message.splitlines(), centered=True, color=AMBER)


def with_text(
    picture: Samples, lines: Sequence[str], *, centered: bool = False, color: tuple[int, int, int] = WHITE
) -> Samples:
    """The picture with lines of text over a darkened box, at the top left or in the middle. Too long lines get
    smaller."""
    lines = [line.encode("ascii", "replace").decode() for line in lines if line]  # the font has no other letters
    if not lines:
        return picture
    height, width = picture.shape[:2]
    scale = _scale(height)
    widest = max(_text_width(line, scale) for line in lines)
    step = 2.0 * CAPITAL_HEIGHT * scale
    scale *= min(1.0, 0.94 * width / max(widest, 1), 0.94 * height / (step * len(lines)))
    step = 2.0 * CAPITAL_HEIGHT * scale
    wide, tall = max(_text_width(line, scale) for line in lines), step * len(lines)
    left = (width - wide) / 2 if centered else 0.02 * width
    top = (height - tall) / 2 if centered else 0.02 * width
    result = picture.copy()
    pad = step / 3
    x0, y0 = max(0, round(left - pad)), max(0, round(top - pad))
    box = result[y0 : round(top + tall + pad), x0 : round(left + wide + pad)]
    box //= 3
    for index, line in enumerate(lines):
        at = (round(left), round(top + step * (index + 0.75)))
        _write(result, line, at, scale, color)
    return result


def with_mark(picture: Samples, text: str = "REC") -> Samples:
    """The picture with a red dot and a word over a darkened box, at the top right: it is being recorded."""
    height, width = picture.shape[:2]
    scale = _scale(height)
    step = 2.0 * CAPITAL_HEIGHT * scale
    wide, margin = step + _text_width(text, scale), 0.02 * width
    left, top = max(width - margin - wide, 0.0), margin
    result = picture.copy()
    pad = step / 3
    box = result[max(0, round(top - pad)) : round(top + step + pad), max(0, round(left - pad)) :]
    box //= 3
    center, radius = (round(left + step * 0.4), round(top + step * 0.52)), max(2, round(step * 0.27))
    cv2.circle(result, center, radius, RED, cv2.FILLED, cv2.LINE_AA)
    at = (round(left + step * 0.9), round(top + step * 0.75))
    _write(result, text, at, scale, WHITE)
    return result


def position_bar(picture: Samples, share: float) -> Samples:
    """The picture with a bar along its lower edge, filled up to `share` (0..1)."""
    result = picture.copy()
    height, width = picture.shape[:2]
    top = height - max(3, height // 90)
    result[top:] //= 4
    result[top:, : round(min(max(share, 0.0), 1.0) * width)] = WHITE
    return result


def _turned(picture: Samples, view: View) -> Samples:
    if view.mirror:
        picture = picture[:, ::-1]
    if view.rotation:
        picture = cv2.rotate(np.ascontiguousarray(picture), ROTATIONS[view.rotation])
    return picture


def _scale(height: int) -> float:
    """The font's scale for a picture of that height."""
    return max(height * TEXT_SHARE, SMALLEST_TEXT) / CAPITAL_HEIGHT


def _write(picture: Samples, line: str, at: tuple[int, int], scale: float, color: tuple[int, int, int]) -> None:
    """Writes into the picture itself."""
    cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, color, _thickness(scale), cv2.LINE_AA)


def _thickness(scale: float) -> int:
    return max(1, round(2 * scale))


def _text_width(line: str, scale: float) -> float:
    # Thicker letters may be wider, too.
    return float(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, _thickness(scale))[0][0])
