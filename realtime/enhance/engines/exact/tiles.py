"""Cutting a large picture into windows whose answers, put together, are the answer to the whole.

The network looks `RECEPTIVE_RADIUS` pixels around each point and treats the picture's border in its own way. All
windows therefore lie inside the picture, have one size, and give away only what is far enough from a side that was
cut; a side that is the picture's own border is kept to the edge.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """One window along one axis: it covers [start, start + size) and answers for [start + first, start + last)."""

    start: int
    first: int
    last: int


def windows(length: int, largest: int, halo: int) -> tuple[int, list[Window]]:
    """The common size of the windows along an axis of `length` pixels, none above `largest`, and the windows.

    `largest` must be even and exceed twice the halo. The parts answered for touch without overlap and cover the
    axis. Where there is more than one window their size is even, which the inference graph is faster with.
    """
    if largest <= 2 * halo or largest % 2:
        raise ValueError(f"a window of {largest} pixels is odd or has nothing left between two halos of {halo}")
    if length <= largest:
        return length, [Window(0, 0, length)]
    count = -(-(length - 2 * halo) // (largest - 2 * halo))
    size = -(-(length - 2 * halo) // count) + 2 * halo
    size += size % 2
    result: list[Window] = []
    done = 0
    for index in range(count):
        last_one = index == count - 1
        start = length - size if last_one else max(done - halo, 0)
        end = length if last_one else start + size - halo
        result.append(Window(start, done - start, end - start))
        done = end
    return size, result
