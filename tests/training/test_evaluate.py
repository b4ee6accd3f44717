"""Metrics with known results, and the table over everything."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.errors import TrainingError
from realtime.frame import Frame
from realtime.processor import PerFrame
from realtime.training import metrics
from realtime.training.baselines import BASELINES, TARGET_MEAN
from realtime.training.camera_model import FRAME_RATE
from realtime.training.evaluate import as_stream, evaluate, summary, table


def picture(seed: int = 0, size: tuple[int, int] = (96, 128)) -> Any:
    random = np.random.default_rng(seed)
    return cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)


def test_aligned_psnr_forgives_brightness_only() -> None:
    truth = picture() // 2 + 20
    darker = np.rint(truth * 0.5).astype(np.uint8)
    assert metrics.psnr(darker, truth) < 15
    assert metrics.aligned_psnr(darker, truth) > 40
    assert metrics.psnr(truth, truth) == metrics.BEST_PSNR
    assert metrics.ssim(truth, truth) == pytest.approx(1)


def test_blockiness_sees_the_grid() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    blocks = np.kron(noise[:16, :16], np.ones((8, 8, 1))).astype(np.uint8)
    assert metrics.blockiness(noise) == pytest.approx(1, abs=0.05)
    assert metrics.blockiness(blocks) > 10


def test_cast_blown_and_flicker() -> None:
    gray, purple = np.full((8, 8, 3), 30, np.uint8), np.full((8, 8, 3), (40, 20, 60), np.uint8)
    where = metrics.dark_neutral(gray)
    assert where.all()
    casts = [metrics.color_cast(gray, where), metrics.color_cast(purple, where)]
    assert casts[0] is not None
    assert casts[1] is not None
    assert casts[0] < 1
    assert casts[1] > 10
    assert metrics.color_cast(gray, ~where) is None
    half = gray.copy()
    half[:4, :, 2] = 250
    assert metrics.blown(half) == 50
    fade = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (10, 20, 30, 40)])
    jump = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (10, 20, 10, 20)])
    assert metrics.flicker(fade) == 0
    assert metrics.flicker(jump) == 20
    assert metrics.flicker(fade[:2]) is None


def test_baselines_reach_their_mean() -> None:
    dark = picture()[None] // 8
    for name in ("gain to mean", "gamma to mean"):
        assert BASELINES[name](dark).mean() == pytest.approx(TARGET_MEAN, abs=2)
    for name, enhance in BASELINES.items():
        assert enhance(dark).shape == dark.shape
        assert enhance(dark).dtype == np.uint8
        assert (enhance(dark).mean() > dark.mean() + 20) == (name not in ("input", "CLAHE"))


def test_table_over_all_kinds_of_cases(tmp_path: Path) -> None:
    for folder, divisor in (("pairs/low", 6), ("pairs/high", 1), ("clean", 1), ("night", 12)):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "a.png"), picture() // divisor)
    scores = evaluate(
        {"six times": lambda p: np.clip(p.astype(int) * 6, 0, 255).astype(np.uint8)},
        pair_folders=[tmp_path / "pairs"],
        clean=[tmp_path / "clean"],
        night=[tmp_path / "night"],
        sheet=tmp_path / "sheet",
    )
    assert [s.kind for s in scores if s.method == "input"] == ["pair", "even", "uneven", "lit", "night"]
    by = {(s.method, s.kind): s for s in summary(scores)}
    best, plain = by["six times", "pair"], by["input", "pair"]
    assert best.psnr is not None
    assert plain.psnr is not None
    assert best.psnr > plain.psnr + 10
    assert by["input", "lit"].psnr == metrics.BEST_PSNR
    assert by["input", "night"].psnr is None
    assert by["input", "night"].blown == by["input", "night"].input_blown
    lines = table(summary(scores)).splitlines()
    assert len(lines) == 2 + 5 * 7
    assert "aligned to truth" in lines[0]
    page = (tmp_path / "sheet" / "index.html").read_text()
    assert page.count("<section>") == 5
    assert page.count("<figcaption>six times</figcaption>") == 5
    assert page.count("<figcaption>truth</figcaption>") == 4
    assert len(list((tmp_path / "sheet").glob("*.jpg"))) == page.count("<img")


def test_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no pairs"):
        evaluate({}, pair_folders=[tmp_path])
    with pytest.raises(TrainingError, match="nothing to evaluate"):
        evaluate({})
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    with pytest.raises(TrainingError, match=r"crops returned uint8 \(1, 95, 128, 3\)"):
        evaluate({"crops": lambda p: p[:, 1:]}, clean=[tmp_path])


def test_a_case_is_played_as_a_stream_of_its_own() -> None:
    seconds: list[float] = []

    def halve(frame: Frame) -> Frame:
        seconds.append(frame.seconds)
        assert frame.time_base == Fraction(1, FRAME_RATE)
        return replace(frame, planes=(frame.planes[0] // 2,))

    enhance = as_stream(PerFrame(halve))
    for _ in range(2):
        seconds.clear()
        clip = np.stack([picture(seed) for seed in range(3)])
        assert np.array_equal(enhance(clip), clip // 2)
        assert seconds == [0.0, 0.04, 0.08]
