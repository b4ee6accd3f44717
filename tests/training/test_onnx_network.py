"""Networks of others, as `evaluate` scores them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from realtime.cli.main import main
from realtime.errors import TrainingError
from realtime.training.onnx_network import onnx_network


def write_network(path: Path, *nodes: onnx.NodeProto, channels: int = 3) -> None:
    """A network from ``x`` (1, 3, H, W) to ``y`` (1, `channels`, H, W), with ``two`` as a constant."""
    shape = [1, 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, *shape[2:]])],
        [helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(path))


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    path = tmp_path / "doubling.onnx"
    write_network(path, helper.make_node("Mul", ["x", "two"], ["y"]))
    return path


@pytest.mark.parametrize("size", [(64, 96), (45, 33)])
def test_frames_of_any_size_go_through_in_rgb(doubling: Path, size: tuple[int, int]) -> None:
    pictures = np.random.default_rng(1).integers(0, 200, (2, *size, 3), np.uint8)
    assert np.array_equal(onnx_network(doubling)(pictures), np.minimum(pictures.astype(int) * 2, 255))


def test_what_is_no_such_network_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no network")
    with pytest.raises(TrainingError, match=r"text\.onnx is no network in ONNX"):
        onnx_network(text)
    gray = tmp_path / "gray.onnx"
    write_network(gray, helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1), channels=1)
    with pytest.raises(TrainingError, match=r"gray\.onnx returned \(1, 1, 32, 32\)"):
        onnx_network(gray)(np.zeros((1, 32, 32, 3), np.uint8))


def test_evaluate_scores_it_beside_the_weights(
    doubling: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "--no-baselines", "--clean", str(next(pictures.iterdir())), "--onnx", str(doubling), "-q"]
    assert main([*command, "--engine", "fast"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert {row.split("|")[1].strip() for row in rows} == {"night", "doubling"}
