"""Weights files read as plain tensors.

Keras's own loader follows whatever a file names. Here an ``.h5`` file in Keras's layout (the attribute ``layer_names``,
and in each layer's group ``weight_names``) gives arrays and nothing else: links to other files, virtual and external
datasets are refused, and shapes and values are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from realtime.errors import WeightsError

Array = npt.NDArray[np.float32]
#: No weights file of these networks is anywhere near as large.
LARGEST_FILE = 64 << 20


def read_tensors(path: Path, shapes: Sequence[tuple[int, ...]], network: str) -> list[Array]:
    """The tensors of a file in its own order, float32. `network` is the message's word for what was expected.

    Raises WeightsError unless they have these shapes and all values are finite.
    """
    wrong = f"{path} does not hold weights of {network}"
    if path.suffix.lower() not in (".h5", ".hdf5"):
        raise WeightsError(f"{path} is not an .h5 file; weights are read from nothing else")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise WeightsError(f"{wrong}: it is larger than {LARGEST_FILE >> 20} MiB")
        with h5py.File(path, "r") as file:
            tensors = [_tensor(_group(file, layer), name) for layer, name in _names(file)]
    except WeightsError:
        raise
    except Exception as error:  # h5py raises a dozen kinds for damaged files, none of them documented
        reason = str(error).strip().splitlines()
        raise WeightsError(f"{wrong}: {reason[0] if reason else type(error).__name__}") from error
    if [tensor.shape for tensor in tensors] != list(shapes):
        raise WeightsError(f"{wrong}: it has {len(tensors)} tensors of other shapes")
    if not all(np.isfinite(tensor).all() for tensor in tensors):
        raise WeightsError(f"{wrong}: a value is not a finite number")
    return tensors


def read_attribute(path: Path, name: str) -> Any:
    """An attribute of the file itself; None where there is none, or the file is not HDF5."""
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get(name)
    except (OSError, RuntimeError, ValueError):
        return None


def _names(file: h5py.File) -> list[tuple[str, str]]:
    """(layer, tensor) names in the order in which the network has them."""
    names = []
    for layer in map(_text, file.attrs["layer_names"]):
        names += [(layer, _text(name)) for name in _group(file, layer).attrs["weight_names"]]
    return names


def _group(parent: Any, name: str) -> Any:
    """A member of a group, one step of the path after the other, none of which may be a link."""
    for part in name.split("/"):
        if not isinstance(parent.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{part!r} is a link or missing")
        parent = parent[part]
    return parent


def _tensor(layer: Any, name: str) -> Array:
    dataset = _group(layer, name)
    if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
        raise ValueError(f"{name!r} is no plain dataset")
    if dataset.dtype.kind != "f":
        raise ValueError(f"{name!r} holds no floating point numbers")
    return np.asarray(dataset[()], np.float32)


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
