"""How good a picture is. Pictures are uint8 RGB (H, W, 3), clips (N, H, W, 3). Needs scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from realtime.color import luma_row

Bytes = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: A pixel is blown from this level of any channel on.
BLOWN_LEVEL = 250
#: Dark is a CIELAB lightness below the first, neutral a chroma below the second.
DARK_LIGHTNESS, NEUTRAL_CHROMA = 30.0, 6.0
#: An input is black below this level of all channels.
BLACK_LEVEL = 12
#: A mean over less than this share of a picture says nothing.
LEAST_SHARE = 1e-3
#: PSNR of equal pictures instead of infinity, so that means stay finite.
BEST_PSNR = 99.0


def psnr(output: Bytes, truth: Bytes) -> float:
    """Peak signal to noise ratio, dB."""
    if np.array_equal(output, truth):
        return BEST_PSNR
    return float(peak_signal_noise_ratio(truth, output, data_range=255))


def ssim(output: Bytes, truth: Bytes) -> float:
    """Structural similarity (Wang et al., TIP 2004), window 7, mean over the channels."""
    return float(structural_similarity(truth, output, channel_axis=-1, data_range=255))


def aligned_psnr(output: Bytes, truth: Bytes) -> float:
    """PSNR after one factor has brought the output's mean to the truth's: the error apart from brightness, dB.

    It uses the truth, so tables must label it.
    """
    factor = float(truth.mean()) / max(float(output.mean()), 1e-6)
    return psnr(np.clip(np.rint(output * factor), 0, 255).astype(np.uint8), truth)


def chroma(picture: Bytes) -> npt.NDArray[np.float64]:
    """CIELAB chroma (H, W)."""
    lab = rgb2lab(picture)
    value: npt.NDArray[np.float64] = np.hypot(lab[..., 1], lab[..., 2])
    return value


def dark_neutral(truth: Bytes) -> Mask:
    """Where the true picture is dark and gray."""
    lab = rgb2lab(truth)
    mask: Mask = (lab[..., 0] < DARK_LIGHTNESS) & (np.hypot(lab[..., 1], lab[..., 2]) < NEUTRAL_CHROMA)
    return mask


def black(picture: Bytes) -> Mask:
    """Where an input holds hardly any signal."""
    mask: Mask = picture.max(axis=-1) < BLACK_LEVEL
    return mask


def color_cast(output: Bytes, where: Mask) -> float | None:
    """Mean chroma of the output there; None if that is less than `LEAST_SHARE` of the picture."""
    return float(chroma(output)[where].mean()) if where.mean() > LEAST_SHARE else None


def blockiness(picture: Bytes) -> float:
    """Mean step of luma across the lines of the 8-pixel grid, over that across all other lines; 1 is none."""
    luma = picture @ np.array(luma_row("bt601"))
    steps = [abs(np.diff(luma, axis=1)).mean(axis=0), abs(np.diff(luma, axis=0)).mean(axis=1)]
    on_grid = np.concatenate([s[7::8] for s in steps])
    off_grid = np.concatenate([np.delete(s, np.s_[7::8]) for s in steps])
    return float(on_grid.mean() / max(float(off_grid.mean()), 1e-6))


def blown(picture: Bytes) -> float:
    """Percentage of pixels with a channel at `BLOWN_LEVEL` or above."""
    return float((picture.max(axis=-1) >= BLOWN_LEVEL).mean() * 100)


def flicker(clip: Bytes) -> float | None:
    """Mean absolute second difference of the frames' mean level, in levels: a steady fade is 0. None below 3 frames."""
    means = clip.reshape(len(clip), -1).mean(axis=1)
    return float(abs(np.diff(means, 2)).mean()) if len(clip) >= 3 else None
