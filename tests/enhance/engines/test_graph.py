"""The inference graph is the Keras model, output fast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.mbllen import SMALLEST_SIDE
from realtime.enhance.tensorflow_loader import tf

#: Rounding to 8 bits of mantissa (11 in float16) in nineteen layers one after another; measured on random and published
#: weights.
LEAST_PSNR = {"bfloat16": 38.0, "float16": 56.0}


@pytest.fixture(scope="module")
def model() -> Any:
    return synthetic.random_model()


@pytest.fixture(scope="module")
def networks(model: Any) -> dict[str, Any]:
    return {name: compile_network(model, tf.as_dtype(name)) for name in ("float32", *LEAST_PSNR)}


sides = st.integers(SMALLEST_SIDE, 48)


@settings(max_examples=8)
@given(count=st.integers(1, 3), height=sides, width=sides, seed=st.integers(0, 99))
@example(count=1, height=SMALLEST_SIDE, width=SMALLEST_SIDE, seed=0)
@example(count=3, height=33, width=48, seed=1)
def test_equals_the_model(model: Any, networks: dict[str, Any], count: int, height: int, width: int, seed: int) -> None:
    pictures = synthetic.noise(width, height, count, top=256, seed=seed).astype(np.float32) / 255
    expected = np.asarray(model(pictures))
    output = np.asarray(networks["float32"](tf.constant(pictures)))
    assert output.dtype == np.float32
    assert np.abs(output - expected).max() <= 1e-4


@pytest.mark.parametrize("precision", LEAST_PSNR)
@settings(max_examples=4)
@given(height=sides, width=sides, seed=st.integers(0, 99))
def test_half_precision_is_close(
    model: Any, networks: dict[str, Any], precision: str, height: int, width: int, seed: int
) -> None:
    pictures = synthetic.noise(width, height, seed=seed).astype(np.float32) / 255
    expected = np.clip(np.asarray(model(pictures)), 0, 1)
    output = networks[precision](tf.constant(pictures))
    assert output.dtype == tf.float32
    error = float(np.mean((np.clip(np.asarray(output), 0, 1) - expected) ** 2))
    assert error > 0, f"{precision} was asked for"
    assert -10 * np.log10(error) >= LEAST_PSNR[precision]


def test_the_output_is_not_clipped_above(networks: dict[str, Any]) -> None:
    bright = tf.ones((1, 40, 40, 3))
    output = np.asarray(networks["float32"](bright))
    assert output.max() > 1
    assert output.min() >= 0
