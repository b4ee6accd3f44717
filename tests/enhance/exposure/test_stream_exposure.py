"""What people put in at night, as a stream: memory, meter and lift together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import streams

from realtime.enhance.exposure.fine import to_samples
from realtime.enhance.exposure.memory import FRAMES
from realtime.enhance.exposure.stream import StreamExposure
from realtime.frame import PixelFormat

HEIGHT, WIDTH = 360, 640
GRAY = PixelFormat("gray", 8)


def street(width: int = WIDTH, seed: int = 3) -> Any:
    """A dim street, float32 levels of luma 6 to 26, with texture, brighter towards the ground."""
    random = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(random.normal(0, 25, (HEIGHT, width)).astype(np.float32), (0, 0), 3)
    return np.clip(12 + texture + np.linspace(-4, 8, HEIGHT, dtype=np.float32)[:, None], 6, 26)


def lamp(picture: Any, level: float = 250.0) -> Any:
    """With a lamp, 24 pixels wide."""
    cv2.circle(picture, (480, 90), 12, level, -1)
    return picture


def played(pictures: Iterable[Any], noise: float = 1.0) -> list[Any]:
    """Gray pictures as a stream with sensor noise, calmed and lifted; float32 levels."""
    random, stream, outputs = np.random.default_rng(1), StreamExposure(GRAY, "auto", FRAMES), []
    for index, picture in enumerate(pictures):
        noisy = np.clip(np.rint(picture + random.normal(0, noise, picture.shape)), 0, 255).astype(np.uint8)
        lifted = stream.next(streams.frame([noisy], GRAY, index))
        outputs.append(to_samples(lifted, GRAY)[0].astype(np.float32))
    return outputs


def test_a_printed_date_stays_readable_and_is_not_blown() -> None:
    """A dashcam's date over a dim street, and over a sky that holds nothing."""
    picture = lamp(street())
    picture[:60] = 1.0
    date = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row in (40, 340):
        cv2.putText(date, "2026-11-25 01:20:07", (40, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255.0, 2)
    ink, around = date > 200, cv2.dilate(date, np.ones((9, 9))) == 0
    output = played([np.where(ink, np.float32(220), picture)] * 8)[-1]
    assert output[ink].max() <= 249
    for rows in (slice(15, 45), slice(315, 345)):
        letters, ground = output[rows][ink[rows]], output[rows][around[rows]]
        assert float(np.median(letters)) - float(np.percentile(ground, 95)) > 90


def test_one_lamp_in_the_black_leaves_the_black_alone() -> None:
    outputs = played([lamp(np.full((HEIGHT, WIDTH), 1.0, np.float32))] * 8, noise=0.6)
    assert max(float(output[200:].mean()) for output in outputs) < 12
    assert float(outputs[-1][85:95, 475:485].mean()) >= 240


def test_a_pan_is_sharp_and_steady() -> None:
    """20 pixels a frame: the last view shows its own place, not the one before, and brightness does not pump."""
    wide = street(WIDTH + 20 * 24)
    views = [wide[:, 20 * index : 20 * index + WIDTH] for index in range(24)]
    panned = played(views)
    own, before = (
        float(np.corrcoef(panned[-1].ravel(), played([view] * FRAMES)[-1].ravel())[0, 1])
        for view in (views[-1], views[-2])
    )
    assert own > 0.88
    assert own - before > 0.1
    means = [float(output.mean()) for output in panned[4:]]
    assert max(means) - min(means) < 0.1 * means[0]


def test_a_cut_every_second_is_followed_by_its_first_frame() -> None:
    """A dim street, a lit room, another street: each shot comes out as it would alone."""
    shots = [lamp(street(seed=3)), street(seed=4)[::-1] * 8, lamp(street(seed=5))[:, ::-1]]
    together = played([shot for shot in shots for _ in range(streams.RATE)])
    for index, shot in enumerate(shots):
        alone = played([shot])[0]
        first, last = together[index * streams.RATE], together[(index + 1) * streams.RATE - 1]
        assert abs(float(first.mean()) - float(alone.mean())) < 0.05 * float(alone.mean())
        assert abs(float(last.mean()) - float(alone.mean())) < 0.1 * float(alone.mean())
