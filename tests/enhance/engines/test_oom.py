"""When memory runs out: less at a time, the same output, and a log line about it."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from realtime.enhance.engines.base import FrameBatch, PlaneBatch, ProgramSpec
from realtime.enhance.engines.exact.oom import Compiled, OomFallback
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError
from realtime.frame import RGB


class Machine:
    """Builds functions that add 1 and fail above so many frames, or tiles so large."""

    error: Exception = tf.errors.ResourceExhaustedError(None, None, "OOM")

    def __init__(self, frames: int, tile: int, when: str = "running") -> None:
        self.frames, self.tile, self.when = frames, tile, when
        self.built: list[tuple[int, int]] = []

    def build(self, spec: ProgramSpec, tile: int) -> Compiled:
        self.built.append((spec.batch, tile))

        def fits() -> bool:
            return spec.batch <= self.frames and tile <= self.tile

        def run(frames: FrameBatch, strength: float) -> PlaneBatch:
            if not fits():
                raise self.error
            assert len(frames.planes[0]) == len(frames) == spec.batch
            return tuple(np.asarray(plane) + 1 for plane in frames.planes)

        if self.when == "compiling" and not fits():
            raise self.error
        return run


def spec(batch: int) -> ProgramSpec:
    return ProgramSpec(2000, 1000, batch, RGB, RGB)


def numbered(count: int) -> FrameBatch:
    """Frames whose one sample is their number from 0."""
    return FrameBatch((np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1),), np.arange(count))


@pytest.mark.parametrize("when", ["running", "compiling"])
def test_the_batch_is_halved_until_it_fits(when: str, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(frames=2, tile=9999, when=when)
    with caplog.at_level(logging.WARNING, "realtime"):
        program = OomFallback(machine.build, spec(8), 2048)
        output = program(numbered(8), 1.0)
    assert [batch for batch, _ in machine.built] == [8, 4, 2]
    assert np.ravel(output[0]).tolist() == list(range(1, 9))
    assert [record.getMessage().split(" frames ")[1] for record in caplog.records] == [
        "go 4 at a time now",
        "go 2 at a time now",
    ]
    program(numbered(8), 1.0)
    assert len(machine.built) == 3, "what was given up stays given up"


def test_then_tiles_get_smaller() -> None:
    machine = Machine(frames=1, tile=600)
    output = OomFallback(machine.build, spec(2), 2048)(numbered(2), 1.0)
    assert machine.built == [(2, 2048), (1, 2048), (1, 1000), (1, 500)]
    assert np.ravel(output[0]).tolist() == [1, 2]


def test_an_odd_batch_goes_one_by_one() -> None:
    machine = Machine(frames=1, tile=9999)
    output = OomFallback(machine.build, spec(3), 2048)(numbered(3), 1.0)
    assert machine.built == [(3, 2048), (1, 2048)]
    assert np.ravel(output[0]).tolist() == [1, 2, 3]


def test_memory_that_runs_out_later(caplog: pytest.LogCaptureFixture) -> None:
    """Another program takes memory in the middle of a video: no frame is lost, and none comes twice."""
    machine = Machine(frames=8, tile=9999)
    program = OomFallback(machine.build, spec(8), 2048)
    assert np.ravel(program(numbered(8), 1.0)[0]).tolist() == list(range(1, 9))
    assert (program.batch, program.tile) == (8, 2048)
    machine.frames, machine.tile = 1, 1000
    assert np.ravel(program(numbered(8), 1.0)[0]).tolist() == list(range(1, 9))
    assert (program.batch, program.tile) == (1, 1000)
    assert machine.built == [(8, 2048), (4, 2048), (2, 2048), (1, 2048), (1, 1000)]
    assert len(caplog.records) == 4


def test_the_card_itself_may_say_it() -> None:
    class Cuda(Machine):
        error = tf.errors.InternalError(None, None, "Failed to load in-memory CUBIN: CUDA_ERROR_OUT_OF_MEMORY")

    program = OomFallback(Cuda(frames=4, tile=9999).build, spec(8), 2048)
    assert np.ravel(program(numbered(8), 1.0)[0]).tolist() == list(range(1, 9))
    assert program.batch == 4


@pytest.mark.parametrize("when", ["running", "compiling"])
def test_another_failure_stays_what_it_is(when: str) -> None:
    class Broken(Machine):
        error = tf.errors.InternalError(None, None, "libdevice not found")

    machine = Broken(frames=4, tile=9999, when=when)
    with pytest.raises(tf.errors.InternalError, match="libdevice"):
        OomFallback(machine.build, spec(8), 2048)(numbered(8), 1.0)
    assert machine.built == [(8, 2048)]


def test_nothing_fits() -> None:
    with pytest.raises(DeviceError, match="no memory for one frame of 2000x1000") as caught:
        OomFallback(Machine(frames=0, tile=0).build, spec(1), 2048)(numbered(1), 1.0)
    assert isinstance(caught.value.__cause__, tf.errors.ResourceExhaustedError)


def test_threads_settle_together() -> None:
    """Frames of one thread never meet a function that was built for less while another thread settles on it."""
    building, go_on = threading.Event(), threading.Event()

    class Slow(Machine):
        def build(self, spec: ProgramSpec, tile: int) -> Compiled:
            if spec.batch == 4:
                building.set()
                assert go_on.wait(30)
            return super().build(spec, tile)

    machine = Slow(frames=8, tile=9999)
    program = OomFallback(machine.build, spec(8), 2048)
    machine.frames = 4
    outputs: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: outputs.append(np.ravel(program(numbered(8), 1.0)[0]).tolist()))
        for _ in range(2)
    ]
    threads[0].start()
    assert building.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert outputs == [list(range(1, 9))] * 2
    assert machine.built == [(8, 2048), (4, 2048)]
