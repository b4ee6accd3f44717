"""The three parts of MBLLEN's loss (Lv et al., BMVC 2018, section 3.3): structure, context and region.

Pictures are float32 (N, H, W, 3) around 0..1; every loss is a scalar. Only keras.ops.
"""

from __future__ import annotations

from typing import Any

from realtime.enhance.keras_loader import ops

#: Share of a picture that counts as dark, and its weight (section 3.3.3).
DARK_SHARE, DARK_WEIGHT = 0.4, 4.0
#: Structure and context beside the region loss; chosen so that each part starts at about the same size.
STRUCTURE_WEIGHT, CONTEXT_WEIGHT = 0.15, 1.0
#: Sides must be at least this: SSIM's window at half size.
MIN_SIDE = 14
#: Wang et al., "Image quality assessment: from error visibility to structural similarity", TIP 2004, with the even 7x7
#: window of scikit-image.
_WINDOW, _C1, _C2 = 7, 0.01**2, 0.03**2


def structure(target: Any, output: Any) -> Any:
    """1 - SSIM, the mean of full and half size, as the paper sums SSIM and MS-SSIM. Sides are at least `MIN_SIDE`."""
    return 1 - (_ssim(target, output) + _ssim(_halve(target), _halve(output))) / 2


def context(target: Any, output: Any) -> Any:
    """L1 between edges at three sizes, in place of the paper's VGG19 features, whose weights are not bundled.

    The early layers of a trained classifier are mostly oriented edges at several scales; differences of neighbors in a
    pyramid are that without weights.
    """
    error = target - output
    total = 0.0
    for _ in range(3):
        total = total + ops.mean(abs(error[:, 1:] - error[:, :-1])) + ops.mean(abs(error[:, :, 1:] - error[:, :, :-1]))
        error = _halve(error)
    return total / 3


def region(target: Any, output: Any) -> Any:
    """Weighted mean of absolute errors: the darkest 40 % of each target count four times as much."""
    brightness = ops.mean(target, axis=-1, keepdims=True)
    flat = ops.sort(ops.reshape(brightness, (ops.shape(brightness)[0], -1)), axis=1)
    limit = flat[:, int(DARK_SHARE * flat.shape[1])]
    weight = ops.where(brightness <= ops.reshape(limit, (-1, 1, 1, 1)), DARK_WEIGHT, 1.0)
    return ops.mean(weight * abs(target - output)) / (DARK_SHARE * DARK_WEIGHT + 1 - DARK_SHARE)


def parts(target: Any, output: Any, context_weight: float = CONTEXT_WEIGHT) -> dict[str, Any]:
    """The weighted parts by name; their sum is the loss."""
    return {
        "structure": STRUCTURE_WEIGHT * structure(target, output),
        "context": context_weight * context(target, output),
        "region": region(target, output),
    }


def _ssim(target: Any, output: Any) -> Any:
    products = [target, output, target * target, output * output, target * output]
    moments = ops.average_pool(ops.concatenate(products, axis=-1), _WINDOW, 1, "valid")
    a, b, aa, bb, ab = ops.split(moments, 5, axis=-1)
    luminance = (2 * a * b + _C1) / (a * a + b * b + _C1)
    return ops.mean(luminance * (2 * (ab - a * b) + _C2) / (aa - a * a + bb - b * b + _C2))


def _halve(x: Any) -> Any:
    return ops.average_pool(x, 2, 2)
