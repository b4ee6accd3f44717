"""Cutting a large picture into tiles whose outputs, put together, are the output of the whole.

The network looks `RECEPTIVE_RADIUS` pixels around each point and pads at the picture's border. So all tiles lie inside
the picture, have one size, and contribute only what is far enough from a side that was cut; a side that is the
picture's own border is used up to the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime.enhance.mbllen import RECEPTIVE_RADIUS
from realtime.enhance.tensorflow_loader import tf


@dataclass(frozen=True)
class Tile:
    """One tile along one axis: it covers [start, start + size) and contributes [start + first, start + last)."""

    start: int
    first: int
    last: int


def tiles(length: int, largest: int, halo: int) -> tuple[int, list[Tile]]:
    """The common size of the tiles along an axis of `length` pixels, none above `largest`, and the tiles.

    `largest` must be even and exceed twice the halo; else ValueError. What the tiles contribute touches without overlap
    and covers the axis. Where there is more than one tile their size is even, which the inference graph is faster with.
    """
    if largest <= 2 * halo or largest % 2:
        raise ValueError(f"a tile of {largest} pixels is odd or has nothing left between two halos of {halo}")
    if length <= largest:
        return length, [Tile(0, 0, length)]
    count = -(-(length - 2 * halo) // (largest - 2 * halo))
    size = -(-(length - 2 * halo) // count) + 2 * halo
    size += size % 2
    result: list[Tile] = []
    done = 0
    for index in range(count):
        last_one = index == count - 1
        start = length - size if last_one else max(done - halo, 0)
        end = length if last_one else start + size - halo
        result.append(Tile(start, done - start, end - start))
        done = end
    return size, result


def in_tiles(network: Callable[[Any], Any], rgb: Any, largest: int) -> Any:
    """`network` over (N, H, W, 3) in tiles of at most `largest` pixels a side, one at a time; equal to the whole."""
    tall, rows = tiles(rgb.shape[1], largest, RECEPTIVE_RADIUS)
    wide, columns = tiles(rgb.shape[2], largest, RECEPTIVE_RADIUS)
    if len(rows) == len(columns) == 1:
        return network(rgb)
    cut = [rgb[:, r.start : r.start + tall, c.start : c.start + wide] for r in rows for c in columns]
    # One after the other: tiles are for saving memory.
    done = tf.map_fn(network, tf.stack(cut), parallel_iterations=1, fn_output_signature=tf.float32)
    bands = []
    for i, row in enumerate(rows):
        parts = [
            done[i * len(columns) + j, :, row.first : row.last, column.first : column.last]
            for j, column in enumerate(columns)
        ]
        bands.append(tf.concat(parts, axis=2))
    return tf.concat(bands, axis=1)
