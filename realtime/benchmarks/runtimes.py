"""The same network under other runtimes, where they are installed: ``pip install onnx onnxruntime openvino``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from realtime.enhance.keras_loader import keras
from realtime.enhance.mbllen import BRANCH_LAYERS, BRANCHES
from realtime.frame import Samples

Task = Callable[[], object]


def runtimes(model: keras.Model, picture: Samples, device: str) -> dict[str, Task]:
    """Tasks that run `model` over `picture` (1, H, W, 3), float32, by the name of the runtime; empty without onnx.

    Only those that compute on `device`, "cpu" or "gpu:N".
    """
    try:
        exported = to_onnx(model, picture.shape[1], picture.shape[2])
    except ImportError:
        return {}
    planar = np.ascontiguousarray(picture.transpose(0, 3, 1, 2))
    tasks: dict[str, Task] = {}
    try:
        import onnxruntime

        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        if provider in onnxruntime.get_available_providers():
            session = onnxruntime.InferenceSession(exported, providers=[provider])
            tasks["onnxruntime"] = lambda: session.run(None, {"picture": planar})
    except ImportError:
        pass
    if device != "cpu":
        return tasks
    try:
        import openvino

        core = openvino.Core()
        # Its default on processors with avx512_bf16 is bfloat16; a float32 row must be float32.
        compiled = core.compile_model(core.read_model(exported), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        tasks["openvino"] = lambda: compiled([planar])
    except ImportError:
        pass
    return tasks


def to_onnx(model: keras.Model, height: int, width: int) -> bytes:
    """The network as an ONNX file, NCHW. Raises ImportError without the ``onnx`` package."""
    import onnx
    from onnx import helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def layer(kind: str, source: str, name: str, **attributes: Any) -> str:
        kernel, bias = model.get_layer(name).get_weights()
        # Keras keeps (h, w, in, out), transposed layers (h, w, out, in); ONNX wants (out, in, h, w), (in, out, h, w).
        constants.append(numpy_helper.from_array(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), name + "/kernel"))
        constants.append(numpy_helper.from_array(bias, name + "/bias"))
        nodes.append(helper.make_node(kind, [source, name + "/kernel", name + "/bias"], [name + "/sum"], **attributes))
        nodes.append(helper.make_node("Relu", [name + "/sum"], [name]))
        return name

    features, proposals = "picture", []
    for index in range(BRANCHES):
        features = layer("Conv", features, f"feature_{index}", pads=[1] * 4)
        x = layer("Conv", features, f"branch_{index}_0", pads=[1] * 4)
        for depth in range(1, BRANCH_LAYERS):
            x = layer("Conv" if depth < 4 else "ConvTranspose", x, f"branch_{index}_{depth}")
        proposals.append(x)
    nodes.append(helper.make_node("Concat", proposals, ["proposals"], axis=1))
    output = layer("Conv", "proposals", "fusion")
    shape = [1, 3, height, width]
    graph = helper.make_graph(
        nodes,
        "mbllen",
        [helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape)],
        constants,
    )
    exported = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(exported.SerializeToString())
