"""How good a night picture is, in numbers that need no network. Pictures are uint8 RGB (H, W, 3), clips (N, H, W, 3).

Every measure says whether more or less is better. None replaces looking at the frames.
"""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: Levels up to which an input holds no signal, and CIELAB lightness between which a place is visible.
EMPTY = 3
VISIBLE = (25.0, 92.0)
BLOWN = 250
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luma(picture: Bytes) -> Floats:
    """BT.709 luma in levels."""
    return np.asarray(picture.astype(np.float32) @ _LUMA)


def lightness(picture: Bytes) -> Floats:
    """CIELAB L*, 0..100."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0])


def empty(picture: Bytes) -> Mask:
    """Where the neighbourhood of an input, 9 pixels wide, holds no signal: at most `EMPTY` of 255 in its largest
    channel."""
    return np.asarray(cv2.blur(picture.max(axis=-1).astype(np.float32), (9, 9)) <= EMPTY)


def level_of_empty(source: Bytes, output: Bytes) -> float | None:
    """Mean level of the output where the input holds no signal; less is better. None where there is less than 1 % of
    it."""
    where = empty(source)
    return float(luma(output)[where].mean()) if where.mean() > 0.01 else None


def colour_of_empty(source: Bytes, output: Bytes) -> float | None:
    """Mean CIELAB chroma of the output where the input holds no signal; less is better."""
    where = empty(source)
    lab = cv2.cvtColor(output.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.hypot(lab[..., 1], lab[..., 2])[where].mean()) if where.mean() > 0.01 else None


def visible_share(source: Bytes, output: Bytes) -> float | None:
    """Percentage of places with signal in the input that come out visible; more is better."""
    where = ~empty(source)
    light = lightness(output)[where]
    return float(((light >= VISIBLE[0]) & (light <= VISIBLE[1])).mean() * 100) if where.mean() > 0.01 else None


def blown_added(source: Bytes, output: Bytes) -> float:
    """Points of percentage by which more pixels have a channel at `BLOWN` or above than in the input; less is
    better."""
    return float(((output.max(-1) >= BLOWN).mean() - (source.max(-1) >= BLOWN).mean()) * 100)


def blockiness(picture: Bytes, where: Mask | None = None) -> float:
    """Mean step of luma across the lines of the 8-pixel grid over that across the other lines; 1 is none (Wang, Bovik
    and Evans, ICIP 2000).

    Only steps within `where` count.
    """
    light = luma(picture)
    inside = np.ones(light.shape, bool) if where is None else where
    on, off = [], []
    for axis in (0, 1):
        step = np.abs(np.diff(light, axis=axis))
        both = np.minimum(np.delete(inside, 0, axis), np.delete(inside, -1, axis))
        grid = np.zeros(step.shape, bool)
        grid[(slice(7, None, 8), slice(None)) if axis == 0 else (slice(None), slice(7, None, 8))] = True
        on.append(step[grid & both])
        off.append(step[~grid & both])
    least = 0.05
    return float((np.concatenate(on).mean() + least) / (np.concatenate(off).mean() + least)) if on[0].size else 1.0


def structure(output: Bytes, truth: Bytes) -> float:
    """Local correlation with the truth over 11-pixel Gaussian windows, mean over places where the truth has any (the
    structure
    term of SSIM, Wang et al., TIP 2004); 1 is best."""
    first, second = luma(output), luma(truth)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    a, b = mean(first), mean(second)
    variances = np.maximum(mean(first * first) - a * a, 0), np.maximum(mean(second * second) - b * b, 0)
    both = mean(first * second) - a * b
    constant = (0.03 * 255) ** 2 / 2
    value = (both + constant) / (np.sqrt(variances[0] * variances[1]) + constant)
    where = variances[1] > 9
    return float(value[where].mean()) if where.any() else 1.0


def noise_over_time(clip: Bytes, still: Mask) -> float:
    """Median over still places of the standard deviation of luma over time, levels; less is better."""
    light = np.stack([luma(picture) for picture in clip])
    return float(np.median(light.std(axis=0)[still])) if still.any() else 0.0


def still_places(clip: Bytes) -> Mask:
    """Where the smoothed luma of a clip (N, H, W, 3) hardly changes, and is neither empty nor blown."""
    light = np.stack([cv2.blur(luma(picture), (15, 15)) for picture in clip])
    middle = light.mean(axis=0)
    return np.asarray((light.max(0) - light.min(0) < 1.5 + 0.03 * middle) & (middle > 4) & (middle < 200))


def relative_noise(source: Bytes, output: Bytes) -> float | None:
    """Noise over time of the output in still places over that of the input, brightened alike; less is better.

    The input is brightened place by place, by the ratio of the two clips' mean levels over time and a 15-pixel window.
    """
    still = still_places(source)
    if still.mean() < 0.01:
        return None
    means = [cv2.blur(np.mean([luma(p) for p in clip], axis=0), (15, 15)) for clip in (source, output)]
    light = [np.stack([luma(p) for p in clip]).std(axis=0) for clip in (source, output)]
    gain = means[1] / np.maximum(means[0], 0.5)
    expected = float(np.mean((light[0] * gain)[still]))
    return float(np.mean(light[1][still])) / expected if expected > 1e-3 else None


def halo(output: Bytes, truth: Bytes) -> float:
    """How much a band of 4 to 16 pixels beside strong edges of the truth differs, in CIELAB L* relative to the
    truth's own difference, from
    the places 24 to 40 pixels further out; less is better (a measure of the overshoot that tone mapping leaves, after
    Eilertsen et
    al., "Evaluation of tone mapping operators for HDR video", CGF 2013)."""
    true, seen = lightness(truth), lightness(output)
    soft = cv2.GaussianBlur(true, (0, 0), 2)
    slope = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    edge = (slope < max(4.0, float(np.percentile(slope, 98)))).astype(np.uint8)
    distance = cv2.distanceTransform(edge, cv2.DIST_L2, 5)
    near, far = (distance > 4) & (distance < 16), (distance > 24) & (distance < 40)
    error = seen - true

    def local(where: Mask) -> Floats:
        weight = where.astype(np.float32)
        return np.asarray(cv2.blur(error * weight, (81, 81)) / np.maximum(cv2.blur(weight, (81, 81)), 1e-3))

    both = (cv2.blur(near.astype(np.float32), (81, 81)) > 0.02) & (cv2.blur(far.astype(np.float32), (81, 81)) > 0.02)
    return float(np.abs(local(near) - local(far))[both].mean()) if both.any() else 0.0


def psnr(output: Bytes, truth: Bytes, aligned: bool = False) -> float:
    """Peak signal to noise ratio, dB; `aligned` after one factor has brought the mean to the truth's, which uses the
    truth."""
    seen = output.astype(np.float32)
    if aligned:
        seen = np.clip(seen * (float(truth.mean()) / max(float(seen.mean()), 1e-6)), 0, 255)
    error = float(np.mean((seen - truth.astype(np.float32)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def ab_var(clip: Bytes, truth: Bytes) -> float:
    """AB(Var): variance over time of the mean brightness difference to the truth, levels squared (Lv et al., BMVC
    2018; Jiang and
    Zheng, "Learning to see moving objects in the dark", ICCV 2019); less is better."""
    return float(np.var([float(a.mean()) - float(b.mean()) for a, b in zip(clip, truth)]))


def mabd(clip: Bytes) -> Floats:
    """MABD (N - 1,): mean absolute difference of neighbouring frames, levels (Jiang and Zheng, ICCV 2019); its mean
    squared
    difference to that of the truth is what the papers print."""
    return np.array([float(np.abs(luma(b) - luma(a)).mean()) for a, b in itertools.pairwise(clip)])
