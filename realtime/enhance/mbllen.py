"""MBLLEN as published: the one definition of the network, in Keras layers only.

Lv, Lu, Wu and Lim, "MBLLEN: Low-light Image/Video Enhancement Using CNNs", BMVC 2018. Ten feature extraction
layers in a row; from each of them one enhancement branch (a small encoder-decoder) proposes a picture; a 1x1
convolution fuses the ten proposals. 450,171 parameters, 448,938 multiply-adds a pixel.
"""

from __future__ import annotations

from realtime.enhance import guarded_reader
from realtime.enhance.keras_loader import keras, layers
from realtime.enhance.weights import Weights

BRANCHES = 10
#: Layers of a branch, in order: one padded 3x3, three 5x5 that shrink the picture, three transposed that grow it back.
BRANCH_LAYERS = 7
#: A pixel of the output depends on no input further away than this: ten 3x3, one 3x3 and six 5x5 kernels.
RECEPTIVE_RADIUS = 10 + 1 + 6 * 2
#: Three unpadded 5x5 convolutions in a row need this much to have anything to look at.
SMALLEST_SIDE = 3 * 4 + 1


def build(height: int | None = None, width: int | None = None) -> keras.Model:
    """The network for RGB in 0..1, float, shape ``(N, H, W, 3)``; the output has that shape and is not clipped above 1.

    ``None`` leaves a side open. Both sides must be at least `SMALLEST_SIDE` pixels. The order of the layers is that
    of the published files, so ``model.load_weights("….h5")`` reads them as they are. Layers are named
    ``feature_I``, ``branch_I_J`` (J from 0 to 6) and ``fusion``.
    """
    picture = layers.Input((height, width, 3))
    features = _feature(picture, 0)
    proposals = _branch(features, 0)
    for index in range(1, BRANCHES):
        features = _feature(features, index)
        # One concatenation a branch, as published: Keras orders layers by their depth below the output, and the
        # files hold weights in that order.
        proposals = layers.Concatenate()([proposals, _branch(features, index)])
    fused = layers.Conv2D(3, 1, activation="relu", padding="same", name="fusion")(proposals)
    return keras.Model(picture, fused, name="mbllen")


def load(weights: Weights) -> keras.Model:
    """The network with these weights. Raises WeightsError if their file holds something else."""
    model = build()
    shapes = [tuple(w.shape) for w in model.weights]
    model.set_weights(guarded_reader.read_tensors(weights.path, shapes, "MBLLEN", weights.is_known))
    return model


def _feature(x: keras.KerasTensor, index: int) -> keras.KerasTensor:
    return layers.Conv2D(32, 3, activation="relu", padding="same", name=f"feature_{index}")(x)


def _branch(features: keras.KerasTensor, index: int) -> keras.KerasTensor:
    name = f"branch_{index}_"
    x = layers.Conv2D(8, 3, activation="relu", padding="same", name=name + "0")(features)
    for layer, channels in enumerate((8, 16, 32), start=1):
        x = layers.Conv2D(channels, 5, activation="relu", name=f"{name}{layer}")(x)
    for layer, channels in enumerate((16, 8, 3), start=4):
        x = layers.Conv2DTranspose(channels, 5, activation="relu", name=f"{name}{layer}")(x)
    return x
