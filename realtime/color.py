"""Color, once: matrices, ranges, the numeric tags of ISO/IEC 23091-2 and the guess for untagged material.

Rec. ITU-R BT.601-7, BT.709-6 and BT.2020-2. Only numbers: what converts samples lies with its library, in
`realtime.media` (libav, OpenCV) and `realtime.enhance.color_ops` (TensorFlow).
"""

from __future__ import annotations

from typing import Literal

Matrix = Literal["bt601", "bt709", "bt2020"]

#: Weights of red and blue in luma, (kr, kb).
LUMA_WEIGHTS: dict[Matrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
#: Matrix coefficients by tag. 2 is unspecified; others (FCC, YCgCo, constant luminance) have no path of their own.
MATRIX_OF_TAG: dict[int, Matrix] = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
TAG_OF_MATRIX: dict[Matrix, int] = {"bt601": 6, "bt709": 1, "bt2020": 9}
UNSPECIFIED = 2
#: libav's numbers for the range of samples.
LIMITED_RANGE, FULL_RANGE = 1, 2
#: Transfer characteristics that are not standard dynamic range, by tag.
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
#: How many luma samples share one chroma sample (horizontally, vertically), by libav's names.
CHROMA_SUBSAMPLING = {"410": (4, 4), "411": (4, 1), "420": (2, 2), "422": (2, 1), "440": (1, 2), "444": (1, 1)}
#: swscale flags BILINEAR | ACCURATE_RND | FULL_CHR_H_INT | FULL_CHR_H_INP: its default is one level low in the dark.
ACCURATE_BILINEAR = 0x46002
#: The same with BICUBIC, for resizing.
ACCURATE_BICUBIC = 0x46004


def guess_matrix(width: int, height: int) -> Matrix:
    """The matrix of untagged material, as players guess it: BT.709 from 720 lines or 1280 columns, else BT.601."""
    return "bt709" if height >= 720 or width >= 1280 else "bt601"


def luma_row(matrix: Matrix) -> tuple[float, float, float]:
    """The weights of R, G and B in luma; their sum is 1."""
    kr, kb = LUMA_WEIGHTS[matrix]
    return kr, 1 - kr - kb, kb


def rgb_to_ycbcr(matrix: Matrix) -> tuple[tuple[float, float, float], ...]:
    """The matrix (3, 3) from R, G, B in 0..1 to Y in 0..1 and Cb, Cr in -0.5..0.5."""
    red, green, blue = luma_row(matrix)
    cb_span, cr_span = 2 - 2 * blue, 2 - 2 * red
    return (
        (red, green, blue),
        (-red / cb_span, -green / cb_span, (1 - blue) / cb_span),
        ((1 - red) / cr_span, -green / cr_span, -blue / cr_span),
    )


def sample_scale(bits: int, full_range: bool) -> tuple[float, float, float, float]:
    """Offset and span of luma, then of chroma, in sample values of `bits` bits."""
    unit = float(1 << (bits - 8))
    if full_range:
        top = float((1 << bits) - 1)
        return 0.0, top, 128 * unit, top
    return 16 * unit, 219 * unit, 128 * unit, 224 * unit
