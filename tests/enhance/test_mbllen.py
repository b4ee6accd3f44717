"""The network against goldens: what was published, and what the project's own script output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from realtime import Enhancer
from realtime.enhance import mbllen
from realtime.enhance import weights as weights_module
from realtime.enhance.device import MULTIPLY_ADDS
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.mbllen import RECEPTIVE_RADIUS, SMALLEST_SIDE, build
from realtime.enhance.tensorflow_loader import tf

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "network.npz"
SIZES = ("even", "odd", "tiny")
PUBLISHED = ("LOL_img_lowlight", "Syn_img_lowlight", "Syn_img_lowlight_withnoise")


@pytest.fixture(scope="module")
def model() -> Any:
    return synthetic.random_model()


@pytest.fixture(scope="module")
def network(model: Any) -> Any:
    return compile_network(model, tf.float32)


def output_of(network: Any, picture: np.ndarray) -> np.ndarray:
    return np.asarray(network(tf.constant(picture[None].astype(np.float32) / 255)))[0]


def test_parameters_and_work_are_the_published_ones() -> None:
    model = build()
    assert model.count_params() == 450_171
    adds = sum(np.prod(layer.get_weights()[0].shape) for layer in model.layers if layer.get_weights())
    assert adds == MULTIPLY_ADDS


@pytest.mark.parametrize("size", SIZES)
def test_own_goldens(size: str, model: Any, network: Any) -> None:
    with np.load(GOLDENS) as goldens:
        picture, expected = goldens[f"{size}_input"], goldens[f"{size}_output"]
    assert expected.std() > 0.05, "a golden that is flat proves nothing"
    assert np.abs(output_of(model, picture) - expected).max() <= 1e-4
    assert np.abs(output_of(network, picture) - expected).max() <= 1e-4


@pytest.mark.parametrize("size", SIZES)
def test_own_goldens_through_the_enhancer(size: str, enhancer: Enhancer) -> None:
    with np.load(GOLDENS) as goldens:
        picture, expected = goldens[f"{size}_input"], goldens[f"{size}_enhanced"]
        rounded = np.round(np.clip(goldens[f"{size}_output"], 0, 1) * 255)
    output = enhancer(picture[None])[0]
    assert np.abs(output.astype(int) - expected).max() <= 1
    assert np.abs(output - rounded).max() <= 1


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_goldens_of_the_bundled_weights(engine: str, native: bool) -> None:
    way = "native" if native and engine == "fast" else engine
    enhancer = Enhancer(**synthetic.QUICK | {"engine": engine})
    with np.load(GOLDENS) as pictures, np.load(GOLDENS.with_name("bundled.npz")) as goldens:
        for size in SIZES:
            expected = goldens[f"{way}_{size}"]
            assert expected.std() > 2, "a golden that is flat proves nothing"
            output = enhancer(pictures[f"{size}_input"][None])[0]
            assert np.abs(output.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_goldens(name: str, shared: Path) -> None:
    model = mbllen.load(weights_module.find(shared / "weights" / f"{name}.h5"))
    with np.load(shared / "goldens" / f"{name}.npz") as goldens:
        for size in SIZES:
            expected = goldens[f"{size}_output"]
            assert np.abs(output_of(model, goldens[f"{size}_input"]) - expected).max() <= 1e-4
            compiled = compile_network(model, tf.float32)
            assert np.abs(output_of(compiled, goldens[f"{size}_input"]) - expected).max() <= 1e-4


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_goldens_through_the_enhancer(name: str, shared: Path) -> None:
    enhancer = Enhancer(weights=shared / "weights" / f"{name}.h5", **synthetic.QUICK)
    with np.load(shared / "goldens" / f"{name}.npz") as goldens:
        output = enhancer(goldens["odd_input"][None])[0]
        expected = np.clip(goldens["odd_output"], 0, 1) * 255
    # Rounded, not truncated: half a level off, and a hair for the arithmetic.
    assert np.abs(output - expected).max() <= 0.5 + 0.03


@pytest.mark.parametrize("side", [SMALLEST_SIDE, 14, 29])
def test_output_has_the_shape_of_the_input(side: int, model: Any) -> None:
    assert model(np.zeros((2, side, SMALLEST_SIDE, 3), np.float32)).shape == (2, side, SMALLEST_SIDE, 3)


def test_the_receptive_radius_is_exact(network: Any) -> None:
    """One changed pixel is felt at the radius, and nowhere beyond it."""
    side = 2 * RECEPTIVE_RADIUS + 41
    middle = side // 2
    before = np.full((1, side, side, 3), 0.5, np.float32)
    after = before.copy()
    after[0, middle, middle] = 20.0
    moved = np.abs(np.asarray(network(tf.constant(after))) - np.asarray(network(tf.constant(before))))[0].max(axis=-1)
    rows, columns = np.nonzero(moved > 0)
    assert np.abs(rows - middle).max() == RECEPTIVE_RADIUS
    assert np.abs(columns - middle).max() == RECEPTIVE_RADIUS


def test_keras_layers_only() -> None:
    """Training may run on any Keras backend."""
    assert {type(layer).__module__.split(".")[0] for layer in build().layers} == {"keras"}
    assert {type(layer).__name__ for layer in build().layers} == {
        "InputLayer",
        "Conv2D",
        "Conv2DTranspose",
        "Concatenate",
    }
