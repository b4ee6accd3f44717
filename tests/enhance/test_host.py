"""The process that uses the library stays as it is, unless it asks for more. Each test runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from realtime import SettingError
from realtime.enhance.host import configure_process

#: Everything that a library might change in its process, as JSON values.
STATE = """
import json, logging, os, signal, sys, threading
def state():
    import cv2
    from realtime.enhance.tensorflow_loader import tf
    threading_of_tf = tf.config.threading
    return {
        "environment": dict(os.environ), "stderr": os.readlink("/proc/self/fd/2"), "folder": os.getcwd(),
        "opencv": cv2.getNumThreads(), "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
        "tensorflow": [threading_of_tf.get_intra_op_parallelism_threads(),
                       threading_of_tf.get_inter_op_parallelism_threads()],
        "logging": [logging.getLogger(name).level for name in ("", "realtime", "tensorflow", "libav")],
        "handlers": [len(logging.getLogger(name).handlers) for name in ("", "realtime")],
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
    }
"""


def run(code: str, **environment: str) -> tuple[str, str]:
    """What a fresh interpreter prints, on stdout and stderr."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "REALTIME_TF"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=inherited | environment, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads where stderr points to from /proc")
def test_importing_and_enhancing_change_nothing(student_weights: Path) -> None:
    code = f"""{STATE}
before = state()
import numpy as np
import realtime, realtime.enhance.enhancer
for name in realtime.__all__:
    getattr(realtime, name)
imported = state()
from realtime import Enhancer, StreamInfo
for engine in ("exact", "fast"):
    enhancer = Enhancer(weights={str(student_weights)!r}, engine=engine, precision="float32", device="cpu")
    enhancer(np.zeros((1, 16, 16, 3), np.uint8))
    enhancer.session(StreamInfo(16, 16), StreamInfo(16, 16).format).close()
print(json.dumps([before, imported, state()]))
"""
    before, imported, used = json.loads(run(code)[0])
    assert imported == before
    assert used == before


def test_a_prepared_process_is_quiet_and_limited(student_weights: Path) -> None:
    code = f"""{STATE}
from realtime.enhance.host import configure_process
configure_process("fast")
from realtime import Enhancer
Enhancer(weights={str(student_weights)!r}, engine="fast", device="cpu")
print(json.dumps(state()))
"""
    out, err = run(code)
    prepared: dict[str, Any] = json.loads(out)
    assert err == ""
    assert (prepared["opencv"], prepared["tensorflow"]) == (1, [1, 1])
    assert "tf_xla_persistent_cache_directory" in prepared["environment"]["TF_XLA_FLAGS"]


@pytest.mark.parametrize(("engine", "opencv", "tensorflow"), [("auto", 1, [0, 0]), ("exact", 4, [0, 0])])
def test_an_engine_that_fills_the_cores_keeps_its_threads(engine: str, opencv: int, tensorflow: list[int]) -> None:
    code = f"""{STATE}
import cv2
cv2.setNumThreads(4)
from realtime.enhance.host import configure_process
configure_process({engine!r})
print(json.dumps(state()))
"""
    prepared = json.loads(run(code)[0])
    assert (prepared["opencv"], prepared["tensorflow"]) == (opencv, tensorflow)


def test_tensorflow_says_something_where_that_is_wanted() -> None:
    """The silence above is `configure_process`'s doing."""
    code = "from realtime.enhance.host import configure_process; configure_process('exact')"
    code += "; import realtime.enhance.tensorflow_loader"
    assert run(code)[1] == ""
    assert run(code, REALTIME_TF_LOG="1")[1] != ""


def test_other_threads_may_write_while_tensorflow_loads() -> None:
    """A live stream reports damage while the network is loaded in the background."""
    code = """
import os, sys
from realtime.enhance.host import silenced, quieten_tensorflow
quieten_tensorflow()
with silenced():
    os.write(2, b"from C++")
    print("from Python", file=sys.stderr)
os.write(2, b"later")
"""
    assert run(code)[1] == "from Python\nlater"


def test_a_process_that_has_computed_already_is_prepared_as_far_as_possible() -> None:
    code = f"""{STATE}
import tensorflow as tf
tf.constant(1) + 1
from realtime.enhance.host import configure_process
configure_process("fast")
print(json.dumps(state()))
"""
    assert json.loads(run(code)[0])["opencv"] == 1


def test_an_unknown_engine_is_refused_before_anything_changes() -> None:
    before = dict(os.environ)
    with pytest.raises(SettingError, match=r"engine 'magic' is not one of auto, exact, fast"):
        configure_process("magic")
    assert dict(os.environ) == before


def test_nothing_generated_is_left_behind(tmp_path: Path, student_weights: Path) -> None:
    """TensorFlow's AutoGraph would write source files, which stay where a process is killed."""
    code = f"""
import os, signal
import numpy as np
from realtime import Enhancer, PixelFormat, StreamInfo
for engine in ("exact", "fast", "auto"):
    enhancer = Enhancer(weights={str(student_weights)!r}, engine=engine, device="cpu")
    enhancer(np.zeros((1, 16, 16, 3), np.uint8))
    enhancer.session(StreamInfo(70, 50), PixelFormat("yuv", 8, (2, 2)))
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=200)
    assert done.returncode == -9, done.stderr.decode()
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_a_live_stream_on_a_cpu_needs_no_tensorflow() -> None:
    """It takes seconds to load, during which frames would be dropped. A file of such a size does not need it either."""
    code = """
import sys
from fractions import Fraction
import numpy as np
from realtime import Enhancer, EnhanceOptions, Frame, PixelFormat, StreamInfo
from realtime.enhance import autoselect, device
from realtime.enhance.host import configure_process
device.GPU_NODES = ()
autoselect.os.cpu_count = lambda: 4
yuv = PixelFormat("yuv", 8, (2, 2), full_range=False)
info = StreamInfo(1280, 720, yuv, rate=Fraction(30), live=True)
assert not autoselect.loads_tensorflow(EnhanceOptions(), info)
configure_process("auto")
session = Enhancer().session(info, yuv)
dark = Frame(tuple(np.full(shape, 60, np.uint8) for shape in yuv.shapes(1280, 720)), yuv)
assert session.process([dark])[0].planes[0].mean() != 60
print(session.describe().engine, [name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    assert run(code)[0].strip() == "fast []"
