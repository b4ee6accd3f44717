"""A weights file that keeps the HDF5 library busy, or takes all memory, ends in one line."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from realtime.enhance import guarded_reader
from realtime.errors import WeightsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one layer."""
    with h5py.File(tmp_path / "small.h5", "w") as file:
        file.attrs["layer_names"], file.attrs["metered"], file.attrs["list"] = ["one"], np.bool_(True), [1, 2]
        layer = file.create_group("one")
        layer.attrs["weight_names"] = ["one/kernel:0", "one/bias:0"]
        layer["one/kernel:0"], layer["one/bias:0"] = (
            np.arange(6, dtype=np.float32).reshape(2, 3),
            np.ones(3, np.float32),
        )
    return tmp_path / "small.h5"


def test_what_is_read_is_what_is_there(path: Path) -> None:
    kernel, bias = guarded_reader.read_tensors(path, [(2, 3), (3,)], "a test")
    assert np.array_equal(kernel, np.arange(6).reshape(2, 3))
    assert np.array_equal(bias, np.ones(3))
    assert guarded_reader.read_attribute(path, "metered") is True
    assert guarded_reader.read_attribute(path, "list") is None
    assert guarded_reader.read_attribute(path, "nothing") is None


def test_a_refusal_is_that_of_the_reader(path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"small\.h5 does not hold weights of a test: it has 2 tensors, of other shapes"
    ):
        guarded_reader.read_tensors(path, [(2, 2)], "a test")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names on Windows")
def test_reading_that_does_not_end_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody writes into."""
    os.mkfifo(tmp_path / "pipe.h5")
    monkeypatch.setattr(guarded_reader, "LIMIT_SECONDS", 2.0)
    with pytest.raises(WeightsError, match=r"pipe\.h5 cannot be read as weights: it takes longer than 2 s") as caught:
        guarded_reader.read_attribute(tmp_path / "pipe.h5", "metered")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of memory for a process")
def test_reading_that_takes_all_memory_is_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a limit in which not even the library finds room."""
    monkeypatch.setattr(guarded_reader, "LIMIT_BYTES", 100 << 20)
    with pytest.raises(WeightsError, match=r"small\.h5 cannot be read as weights: the HDF5 library fails on it$"):
        guarded_reader.read_tensors(path, [(2, 3), (3,)], "a test")
