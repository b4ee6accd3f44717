"""The identity of a piece of work: what makes two runs the same."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic
from plain import Plain

from realtime import EncodingOptions, EngineInfo, EnhanceOptions, InputOverrides, StreamInfo
from realtime.job import plan_job, request_id

INFO = StreamInfo(64, 48)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return synthetic.clip(tmp_path / "a.mp4")


def test_the_same_is_the_same_wherever_it_lies(source: Path, tmp_path: Path) -> None:
    def identity(path: Path) -> str:
        return plan_job(path, INFO, Plain(), EncodingOptions(), InputOverrides()).id

    first = identity(source)
    (tmp_path / "other").mkdir()
    assert identity(source.rename(tmp_path / "other" / "a.mp4")) == first
    os.utime(tmp_path / "other" / "a.mp4", (0, 0))
    assert identity(tmp_path / "other" / "a.mp4") != first


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ({"encoding": EncodingOptions(crf=20)}, True),
        ({"encoding": EncodingOptions(strict=True)}, False),
        ({"overrides": InputOverrides(start=1.0)}, True),
        ({"enhance": EnhanceOptions(strength=0.5)}, True),
        ({"enhance": EnhanceOptions(engine="exact")}, True),
        ({"enhance": EnhanceOptions(exposure="off")}, True),
        ({"enhance": EnhanceOptions(device="cpu", batch=4)}, False),
    ],
    ids=str,
)
def test_what_changes_the_result_changes_the_request(changed: dict[str, Any], matters: bool, source: Path) -> None:
    about: dict[str, Any] = {"enhance": EnhanceOptions(), "encoding": EncodingOptions(), "overrides": InputOverrides()}
    assert (request_id(source, **about) != request_id(source, **(about | changed))) == matters


def test_weights_are_told_apart_by_what_is_in_them(source: Path, weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.weights.h5"
    copy.write_bytes(weights.read_bytes())
    about = (EncodingOptions(), InputOverrides())
    first = request_id(source, EnhanceOptions(weights=weights), *about)
    assert request_id(source, EnhanceOptions(weights=copy), *about) == first
    assert request_id(source, EnhanceOptions(), *about) != first


def test_the_engine_changes_the_second_half_alone(source: Path) -> None:
    jobs = []
    for precision in ("float32", "bfloat16"):
        processor: Any = Plain()
        processor.plan = lambda info, precision=precision: EngineInfo("exact", "cpu", precision)
        jobs.append(plan_job(source, INFO, processor, EncodingOptions(), InputOverrides()))
    halves = [job.id.split("-") for job in jobs]
    assert halves[0][0] == halves[1][0] == request_id(source, Plain(), EncodingOptions(), InputOverrides())
    assert halves[0][1] != halves[1][1]
    assert "precision bfloat16" in jobs[1].tags["enhanced_with"]


def test_a_processor_without_a_plan_is_called_by_its_type(source: Path) -> None:
    class Mine:
        pass

    job = plan_job(source, replace(INFO), Mine(), EncodingOptions(), InputOverrides())
    assert job.parameters["engine"] == "Mine"
