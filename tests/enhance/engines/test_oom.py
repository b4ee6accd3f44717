"""When memory runs out: less at a time, the same answer, and a word about it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from realtime.enhance.engines.base import Batch, Program, ProgramSpec
from realtime.enhance.engines.exact.oom import OomFallback
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError
from realtime.frame import RGB, Samples


class Machine:
    """Builds programs that add 1 and fail above so many frames, or windows so large."""

    error: Exception = tf.errors.ResourceExhaustedError(None, None, "OOM")

    def __init__(self, frames: int, window: int, when: str = "running") -> None:
        self.frames, self.window, self.when = frames, window, when
        self.built: list[tuple[int, int]] = []

    def build(self, job: ProgramSpec, window: int) -> Program:
        self.built.append((job.batch, window))

        def fits() -> bool:
            return job.batch <= self.frames and window <= self.window

        def run(planes: Batch, strength: float, exposure: Samples) -> Batch:
            if not fits():
                raise self.error
            assert len(planes[0]) == len(exposure) == job.batch
            return tuple(np.asarray(plane) + 1 for plane in planes)

        if self.when == "compiling" and not fits():
            raise self.error
        return run


def job(batch: int) -> ProgramSpec:
    return ProgramSpec(2000, 1000, batch, RGB, RGB)


PLANES = (np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1),)
EXPOSURE = np.ones((8, 2), np.float32)


@pytest.mark.parametrize("when", ["running", "compiling"])
def test_the_batch_is_halved_until_it_fits(when: str, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(frames=2, window=9999, when=when)
    with caplog.at_level(logging.WARNING, "realtime"):
        program = OomFallback(machine.build, job(8), 2048)
        answer = program(PLANES, 1.0, EXPOSURE)
    assert [batch for batch, _ in machine.built] == [8, 4, 2]
    assert np.ravel(answer[0]).tolist() == list(range(1, 9))
    assert [record.getMessage().split(" frames ")[1] for record in caplog.records] == [
        "go 4 at a time now",
        "go 2 at a time now",
    ]
    program(PLANES, 1.0, EXPOSURE)
    assert len(machine.built) == 3, "what was given up stays given up"


def test_then_windows_get_smaller() -> None:
    machine = Machine(frames=1, window=600)
    answer = OomFallback(machine.build, job(2), 2048)((PLANES[0][:2],), 1.0, EXPOSURE[:2])
    assert machine.built == [(2, 2048), (1, 2048), (1, 1000), (1, 500)]
    assert np.ravel(answer[0]).tolist() == [1, 2]


def test_an_odd_batch_goes_one_by_one() -> None:
    machine = Machine(frames=1, window=9999)
    answer = OomFallback(machine.build, job(3), 2048)((PLANES[0][:3],), 1.0, EXPOSURE[:3])
    assert machine.built == [(3, 2048), (1, 2048)]
    assert np.ravel(answer[0]).tolist() == [1, 2, 3]


def test_memory_that_runs_out_later(caplog: pytest.LogCaptureFixture) -> None:
    """Another program takes memory in the middle of a film: no frame is lost, and none comes twice."""
    machine = Machine(frames=8, window=9999)
    program = OomFallback(machine.build, job(8), 2048)
    assert np.ravel(program(PLANES, 1.0, EXPOSURE)[0]).tolist() == list(range(1, 9))
    assert (program.batch, program.window) == (8, 2048)
    machine.frames, machine.window = 1, 1000
    assert np.ravel(program(PLANES, 1.0, EXPOSURE)[0]).tolist() == list(range(1, 9))
    assert (program.batch, program.window) == (1, 1000)
    assert machine.built == [(8, 2048), (4, 2048), (2, 2048), (1, 2048), (1, 1000)]
    assert len(caplog.records) == 4


def test_the_card_itself_may_say_it() -> None:
    class Cuda(Machine):
        error = tf.errors.InternalError(None, None, "Failed to load in-memory CUBIN: CUDA_ERROR_OUT_OF_MEMORY")

    program = OomFallback(Cuda(frames=4, window=9999).build, job(8), 2048)
    assert np.ravel(program(PLANES, 1.0, EXPOSURE)[0]).tolist() == list(range(1, 9))
    assert program.batch == 4


@pytest.mark.parametrize("when", ["running", "compiling"])
def test_another_failure_stays_what_it_is(when: str) -> None:
    class Broken(Machine):
        error = tf.errors.InternalError(None, None, "libdevice not found")

    machine = Broken(frames=4, window=9999, when=when)
    with pytest.raises(tf.errors.InternalError, match="libdevice"):
        OomFallback(machine.build, job(8), 2048)(PLANES, 1.0, EXPOSURE)
    assert machine.built == [(8, 2048)]


def test_nothing_fits() -> None:
    with pytest.raises(DeviceError, match="no memory for one frame of 2000x1000") as caught:
        OomFallback(Machine(frames=0, window=0).build, job(1), 2048)((PLANES[0][:1],), 1.0, EXPOSURE[:1])
    assert isinstance(caught.value.__cause__, tf.errors.ResourceExhaustedError)
