"""The three parts of MBLLEN's loss (Lv et al., BMVC 2018, section 3.3): structure, context and region.

Pictures are float32 ``(N, H, W, 3)`` around 0..1; every loss is a scalar. keras.ops only.
"""

from __future__ import annotations

from typing import Any

from realtime.enhance.keras_loader import ops

#: Share of a picture that counts as dark, and its weight (the paper's, section 3.3.3).
DARK_SHARE, DARK_WEIGHT = 0.4, 4.0
#: Structure and context beside the region loss; chosen so that each part starts at about the same size.
STRUCTURE_WEIGHT, CONTEXT_WEIGHT = 0.15, 1.0
#: Wang et al., "Image quality assessment: from error visibility to structural similarity", TIP 2004, with the
#: even 7x7 window that scikit-image measures with.
_WINDOW, _C1, _C2 = 7, 0.01**2, 0.03**2


def _blur(x: Any) -> Any:
    return ops.average_pool(x, _WINDOW, 1, "valid")


def _ssim(truth: Any, answer: Any) -> Any:
    moments = _blur(ops.concatenate([truth, answer, truth * truth, answer * answer, truth * answer], axis=-1))
    a, b, aa, bb, ab = ops.split(moments, 5, axis=-1)
    light = (2 * a * b + _C1) / (a * a + b * b + _C1)
    return ops.mean(light * (2 * (ab - a * b) + _C2) / (aa - a * a + bb - b * b + _C2))


def _halve(x: Any) -> Any:
    return ops.average_pool(x, 2, 2)


def structure(truth: Any, answer: Any) -> Any:
    """1 - SSIM, the mean of full and half size, as the paper sums SSIM and MS-SSIM. Sides must be at least 14."""
    return 1 - (_ssim(truth, answer) + _ssim(_halve(truth), _halve(answer))) / 2


def context(truth: Any, answer: Any) -> Any:
    """L1 between edges at three sizes: a stand-in for VGG19's features, whose weights are no part of this project.

    The paper compares features of a trained classifier; their early layers are mostly oriented edges at several
    scales, and differences of neighbours in a pyramid are those, without weights to fetch.
    """
    error = truth - answer
    total = 0.0
    for _ in range(3):
        total = total + ops.mean(abs(error[:, 1:] - error[:, :-1])) + ops.mean(abs(error[:, :, 1:] - error[:, :, :-1]))
        error = _halve(error)
    return total / 3


def region(truth: Any, answer: Any) -> Any:
    """Weighted mean of absolute errors, the darkest 40 % of each true picture counting four times as much."""
    brightness = ops.mean(truth, axis=-1, keepdims=True)
    flat = ops.sort(ops.reshape(brightness, (ops.shape(brightness)[0], -1)), axis=1)
    limit = flat[:, int(DARK_SHARE * flat.shape[1])]
    weight = ops.where(brightness <= ops.reshape(limit, (-1, 1, 1, 1)), DARK_WEIGHT, 1.0)
    return ops.mean(weight * abs(truth - answer)) / (DARK_SHARE * DARK_WEIGHT + 1 - DARK_SHARE)


def parts(truth: Any, answer: Any) -> dict[str, Any]:
    """The weighted parts, by name; their sum is the loss."""
    return {
        "structure": STRUCTURE_WEIGHT * structure(truth, answer),
        "context": CONTEXT_WEIGHT * context(truth, answer),
        "region": region(truth, answer),
    }
