"""How good a night picture is, in numbers that need no network. Pictures are uint8 RGB (H, W, 3), clips (N, H, W, 3).

Every measure says whether more or less is better. None replaces looking at the frames.
"""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import luma_row

Bytes = npt.NDArray[Any]
Floats = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: A place is empty if its largest channel is at most this level, in the mean of so many pixels each way.
EMPTY_LEVEL, EMPTY_WINDOW = 3, 9
#: CIELAB lightness between which a place is visible.
VISIBLE_LIGHTNESS = (25.0, 92.0)
#: Less than this share of a picture says nothing.
LEAST_SHARE = 0.01
#: The window in which clips are compared in brightness, in pixels each way.
BRIGHTNESS_WINDOW = (15, 15)
#: A still place's smoothed luma changes by less than the first, in levels, plus this share of itself. Luma below or
#: above the limits says nothing of noise.
STILL_CHANGE, STILL_SHARE, STILL_LUMA = 1.5, 0.03, (4, 200)
#: Noise over time, in levels, that rounding to 8 bits hides.
LEAST_NOISE = 0.25


def luma(picture: Bytes) -> Floats:
    """BT.709 luma in levels."""
    return np.asarray(picture.astype(np.float32) @ np.array(luma_row("bt709"), np.float32))


def lightness(picture: Bytes) -> Floats:
    """CIELAB L*, 0..100."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0])


def empty(picture: Bytes) -> Mask:
    """Where an input holds no signal."""
    window = (EMPTY_WINDOW, EMPTY_WINDOW)
    return np.asarray(cv2.blur(picture.max(axis=-1).astype(np.float32), window) <= EMPTY_LEVEL)


def level_of_empty(source: Bytes, output: Bytes) -> float | None:
    """Mean level of the output where the input is empty; less is better. None where too little is."""
    where = empty(source)
    return float(luma(output)[where].mean()) if where.mean() > LEAST_SHARE else None


def visible_share(source: Bytes, output: Bytes) -> float | None:
    """Percentage of the places with signal in the input that come out visible; more is better."""
    where = ~empty(source)
    light = lightness(output)[where]
    low, high = VISIBLE_LIGHTNESS
    return float(((light >= low) & (light <= high)).mean() * 100) if where.mean() > LEAST_SHARE else None


def structure(output: Bytes, truth: Bytes) -> float:
    """Local correlation with the truth, mean over places where the truth has any structure; 1 is best.

    The structure term of SSIM (Wang et al., TIP 2004), over 11-pixel Gaussian windows.
    """

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    first, second = luma(output), luma(truth)
    a, b = mean(first), mean(second)
    variances = np.maximum(mean(first * first) - a * a, 0), np.maximum(mean(second * second) - b * b, 0)
    covariance = mean(first * second) - a * b
    constant = (0.03 * 255) ** 2 / 2
    value = (covariance + constant) / (np.sqrt(variances[0] * variances[1]) + constant)
    where = variances[1] > 9
    return float(value[where].mean()) if where.any() else 1.0


def still_places(clip: Bytes) -> Mask:
    """Where the smoothed luma of a clip hardly changes, and is neither empty nor blown."""
    light = np.stack([cv2.blur(luma(picture), BRIGHTNESS_WINDOW) for picture in clip])
    mean = light.mean(axis=0)
    still = light.max(axis=0) - light.min(axis=0) < STILL_CHANGE + STILL_SHARE * mean
    return np.asarray(still & (mean > STILL_LUMA[0]) & (mean < STILL_LUMA[1]))


def relative_noise(source: Bytes, output: Bytes) -> float | None:
    """Noise over time of the output in still places over that of the input, brightened alike; less is better.

    The input is brightened place by place, by the ratio of the two clips' mean levels over time. None where too little
    stands still, or where the brightened input has less noise than `LEAST_NOISE`.
    """
    still = still_places(source)
    if still.mean() < LEAST_SHARE:
        return None
    before, after = (np.stack([luma(picture) for picture in clip]) for clip in (source, output))
    means = [cv2.blur(light.mean(axis=0), BRIGHTNESS_WINDOW) for light in (before, after)]
    gain = means[1] / np.maximum(means[0], 0.5)
    expected = float(np.mean((before.std(axis=0) * gain)[still]))
    return float(np.mean(after.std(axis=0)[still])) / expected if expected > LEAST_NOISE else None


def halo(output: Bytes, truth: Bytes) -> float:
    """How much places 4 to 16 pixels beside strong edges of the truth are off, relative to those 24 to 40 pixels away.

    In CIELAB L*; less is better. A measure of the overshoot that tone mapping leaves, after Eilertsen et al.,
    "Evaluation of tone mapping operators for HDR video", CGF 2013.
    """
    true, seen = lightness(truth), lightness(output)
    smooth = cv2.GaussianBlur(true, (0, 0), 2)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    no_edge = (slope < max(4.0, float(np.percentile(slope, 98)))).astype(np.uint8)
    distance = cv2.distanceTransform(no_edge, cv2.DIST_L2, 5)
    near, far = (distance > 4) & (distance < 16), (distance > 24) & (distance < 40)
    error, window = seen - true, (81, 81)
    shares = [cv2.blur(where.astype(np.float32), window) for where in (near, far)]
    means = [cv2.blur(error * w, window) / np.maximum(s, 1e-3) for w, s in zip((near, far), shares, strict=True)]
    both = (shares[0] > 0.02) & (shares[1] > 0.02)
    return float(np.abs(means[0] - means[1])[both].mean()) if both.any() else 0.0


def ab_var(clip: Bytes, truth: Bytes) -> float:
    """AB(Var): variance over time of the mean difference in brightness from the truth, levels squared; less is better.

    Lv et al., BMVC 2018; Jiang and Zheng, "Learning to see moving objects in the dark", ICCV 2019.
    """
    return float(np.var([float(a.mean()) - float(b.mean()) for a, b in zip(clip, truth, strict=True)]))


def mabd_error(clip: Bytes, truth: Bytes) -> float:
    """Mean squared difference of MABD from that of the truth, levels squared; less is better.

    MABD is the mean absolute difference of neighboring frames (Jiang and Zheng, ICCV 2019).
    """
    first, second = (
        np.array([float(np.abs(luma(b) - luma(a)).mean()) for a, b in itertools.pairwise(frames)])
        for frames in (clip, truth)
    )
    return float(np.mean((first - second) ** 2))
