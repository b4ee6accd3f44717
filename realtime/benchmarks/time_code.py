"""A moment drawn into a picture as black and white blocks, and read from it again, after it was brightened."""

from __future__ import annotations

import numpy as np

from realtime.frame import Samples

#: Side of a block in pixels. Bits of the moment in milliseconds, which starts over after 17 minutes.
BLOCK, BITS = 24, 20
#: Two blocks say what white and black look like; the last one is the parity of the others.
BLOCKS = 2 + BITS + 1
WHITE, BLACK = 235, 16


def draw(luma: Samples, seconds: float) -> None:
    """Writes the moment into the upper left corner of a plane of 8-bit luma (H, W), at least 552 pixels wide."""
    code = int(seconds * 1000) % (1 << BITS)
    bits = [code >> index & 1 for index in range(BITS)]
    for index, bit in enumerate([1, 0, *bits, sum(bits) % 2]):
        luma[:BLOCK, index * BLOCK : (index + 1) * BLOCK] = WHITE if bit else BLACK


def read(picture: Samples) -> int | None:
    """The milliseconds in a picture, uint8 (H, W) or (H, W, C), modulo 2**20; None where there is no code."""
    rows = picture[BLOCK // 4 : 3 * BLOCK // 4, : BLOCKS * BLOCK].astype(np.float32)
    rows = rows if rows.ndim == 2 else rows.mean(2)
    if rows.shape[1] < BLOCKS * BLOCK:
        return None
    levels = rows.reshape(rows.shape[0], BLOCKS, BLOCK)[:, :, BLOCK // 4 : 3 * BLOCK // 4].mean((0, 2))
    if levels[0] - levels[1] < 40:
        return None
    bits = (levels[2:] > (levels[0] + levels[1]) / 2).astype(int)
    if bits[:-1].sum() % 2 != bits[-1]:
        return None
    return int((bits[:-1] << np.arange(BITS)).sum())


def age(code: int, seconds: float) -> float:
    """Milliseconds from the moment of a code until `seconds`."""
    return float((int(seconds * 1000) - code) % (1 << BITS))
