"""How good a picture is. All pictures are uint8 RGB ``(H, W, 3)``, clips ``(N, H, W, 3)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Bytes = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: A pixel is blown from this level of any channel on.
BLOWN = 250
#: Dark is a CIELAB lightness below the first, neutral a chroma below the second, black an input below the third level.
DARK, NEUTRAL, BLACK = 30.0, 6.0, 12
#: PSNR of equal pictures, instead of infinity, so that means stay finite.
BEST_PSNR = 99.0


def psnr(answer: Bytes, truth: Bytes) -> float:
    """Peak signal to noise ratio, dB."""
    if np.array_equal(answer, truth):
        return BEST_PSNR
    return float(peak_signal_noise_ratio(truth, answer, data_range=255))


def ssim(answer: Bytes, truth: Bytes) -> float:
    """Structural similarity (Wang et al., TIP 2004), window 7, mean over the channels."""
    return float(structural_similarity(truth, answer, channel_axis=-1, data_range=255))


def aligned_psnr(answer: Bytes, truth: Bytes) -> float:
    """PSNR after one factor has brought the answer's mean to the truth's: what is wrong apart from brightness, dB.

    It uses the truth, so it must be labelled wherever it is shown.
    """
    factor = float(truth.mean()) / max(float(answer.mean()), 1e-6)
    return psnr(np.clip(np.rint(answer * factor), 0, 255).astype(np.uint8), truth)


def chroma(picture: Bytes) -> npt.NDArray[np.float64]:
    """CIELAB chroma (H, W)."""
    lab = rgb2lab(picture)
    value: npt.NDArray[np.float64] = np.hypot(lab[..., 1], lab[..., 2])
    return value


def dark_neutral(truth: Bytes) -> Mask:
    """Where the true picture is dark and gray."""
    lab = rgb2lab(truth)
    mask: Mask = (lab[..., 0] < DARK) & (np.hypot(lab[..., 1], lab[..., 2]) < NEUTRAL)
    return mask


def black(picture: Bytes) -> Mask:
    """Where an input holds no signal."""
    mask: Mask = picture.max(axis=-1) < BLACK
    return mask


def cast(answer: Bytes, where: Mask) -> float | None:
    """Mean chroma of the answer there; None if that is less than a thousandth of the picture."""
    return float(chroma(answer)[where].mean()) if where.mean() > 1e-3 else None


def blockiness(picture: Bytes) -> float:
    """Mean step of luma across the lines of the 8-pixel grid, over that across all other lines; 1 is none."""
    luma = picture @ np.array([0.299, 0.587, 0.114])
    steps = [abs(np.diff(luma, axis=1)).mean(axis=0), abs(np.diff(luma, axis=0)).mean(axis=1)]
    on = np.concatenate([s[7::8] for s in steps])
    off = np.concatenate([np.delete(s, np.s_[7::8]) for s in steps])
    return float(on.mean() / max(float(off.mean()), 1e-6))


def blown(picture: Bytes) -> float:
    """Percentage of pixels with a channel at `BLOWN` or above."""
    return float((picture.max(axis=-1) >= BLOWN).mean() * 100)


def flicker(clip: Bytes) -> float | None:
    """Mean absolute second difference of the frames' mean level, in levels: a steady fade is 0. None below 3 frames."""
    means = clip.reshape(len(clip), -1).mean(axis=1)
    return float(abs(np.diff(means, 2)).mean()) if len(clip) >= 3 else None
