"""What exposure and memory make of a clip, without a network: ``python -m realtime.benchmarks.night CLIP...``.

Without options: real night clips, no truth. ``--darken`` treats the clips as well lit: each is darkened evenly and
unevenly in linear light, with noise and H.264, so that truth is known. ``--lit`` says how much well lit clips change.
``--sheet FOLDER`` writes input and output side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.enhance.exposure.fine import to_samples
from realtime.enhance.exposure.night import ExposureController, ExposureMap, TemporalDenoiser, lift_planes
from realtime.frame import RGB
from realtime.media.libav import av
from realtime.training import night_metrics as metrics
from realtime.training.camera_model import add_noise, film

#: Evenly dark: these exposures; unevenly: a cone, two lamps, and these shares of daylight elsewhere.
EXPOSURES, AMBIENTS = (0.03, 0.06, 0.12, 0.25), (1 / 60, 1 / 100, 1 / 150)
RATE = 25.0


def frames_of(path: Path, first: int, count: int, width: int = 640) -> Any:
    """Frames (N, H, W, 3), uint8 RGB with even sides, at most `width` wide."""
    found = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if index >= first:
                scale = min(1.0, width / frame.width)
                size = (round(frame.width * scale / 2) * 2, round(frame.height * scale / 2) * 2)
                picture = frame.to_ndarray(format="rgb24")
                found.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
            if len(found) == count:
                break
    return np.stack(found)


def expose(clip: Any, mode: str | float = "auto", frames: int = 12) -> Iterator[tuple[Any, ExposureMap]]:
    """The clip through memory, meter and lift, as pictures, each with its map."""
    memory, controller = TemporalDenoiser(RGB, frames), ExposureController(mode)
    for index, picture in enumerate(clip):
        fine, small = memory((picture,), index / RATE)
        exposure = controller(small, index / RATE, memory.noise)
        yield to_samples(lift_planes(fine, exposure), RGB)[0], exposure


def linear(picture: Any) -> Any:
    """sRGB uint8 to linear light 0..1."""
    values = picture.astype(np.float32) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light: Any) -> Any:
    """Linear light 0..1 to sRGB 0..1."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def night_field(height: int, width: int, ambient: float) -> tuple[Any, Any]:
    """A field of light (H, W) for a headlight cone over `ambient`, and two lamps (H, W, 3) to add."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    cone = np.exp(-(((x - 0.5) / (0.12 + 0.5 * np.clip(y - 0.4, 0, 1))) ** 2)) / (1 + np.exp(-(y - 0.62) * 14))
    field, lamps = ambient + 0.6 * cone, np.zeros((height, width, 3), np.float32)
    for cy, cx in ((0.18, 0.2), (0.25, 0.8)):
        radius = np.hypot((y - cy) * height / width, x - cx)
        field = field + 0.35 * (1 + (radius / 0.07) ** 2) ** -1.5
        glare = np.exp(-((radius / 0.008) ** 4)) + 0.02 * np.exp(-radius / 0.03)
        lamps += (1.2 * glare)[..., None] * np.array([1, 0.85, 0.6], np.float32)
    return np.minimum(field, 1).astype(np.float32), lamps


def darken(clip: Any, field: Any, lamps: Any) -> Any:
    """The clip under less light, with sensor noise, 4:2:0 and H.264 at crf 23."""
    random = np.random.default_rng(7)
    pictures = []
    for picture in clip:
        light = linear(picture) * field + lamps
        light = add_noise(np.minimum(light, 1), 0.0004, 0.0006, 0.5, random)
        pictures.append(encoded(light).astype(np.float32))
    return np.stack([np.rint(p * 255).astype(np.uint8) for p in film(pictures, "h264", 23)])


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def real(clip: Any, output: Any) -> dict[str, float]:
    """What can be said without truth; the first half of the clip is left out."""
    some = range(len(clip) // 2, len(clip), 4)
    pairs = [(clip[index], output[index]) for index in some]
    half = slice(len(clip) // 2, None)
    return {
        "empty level": _mean([metrics.level_of_empty(a, b) for a, b in pairs]),
        "empty chroma": _mean([metrics.colour_of_empty(a, b) for a, b in pairs]),
        "blocks in": _mean([metrics.blockiness(a) for a, _ in pairs]),
        "blocks out": _mean([metrics.blockiness(b) for _, b in pairs]),
        "visible in": _mean([metrics.visible_share(a, a) for a, _ in pairs]),
        "visible out": _mean([metrics.visible_share(a, b) for a, b in pairs]),
        "blown+": _mean([metrics.blown_added(a, b) for a, b in pairs]),
        "noise": _mean([metrics.relative_noise(clip[half], output[half])]),
    }


def true(output: Any, truth: Any, source: Any) -> dict[str, float]:
    """What can be said with truth."""
    some = range(len(truth) // 2, len(truth), 4)
    return {
        "psnr": _mean([metrics.psnr(output[i], truth[i]) for i in some]),
        "aligned": _mean([metrics.psnr(output[i], truth[i], aligned=True) for i in some]),
        "structure": _mean([metrics.structure(output[i], truth[i]) for i in some]),
        "visible": _mean([metrics.visible_share(source[i], output[i]) for i in some]),
        "empty level": _mean([metrics.level_of_empty(source[i], output[i]) for i in some]),
        "halo": _mean([metrics.halo(output[i], truth[i]) for i in some]),
        "blown+": _mean([metrics.blown_added(source[i], output[i]) for i in some]),
    }


def _row(name: str, values: dict[str, float]) -> str:
    return f"{name[:34]:34s} " + "  ".join(f"{key} {value:6.2f}" for key, value in values.items())


def _sheet(folder: Path | None, name: str, *pictures: Any) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name}.jpg"), np.hstack(pictures)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--darken", action="store_true")
    parser.add_argument("--lit", action="store_true")
    parser.add_argument("--mode", default="auto")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--first", type=int, default=10)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    errors: list[float] = []
    for path in given.clips:
        clip = frames_of(path, given.first, given.frames)
        if given.lit:
            stops = [float(np.median(exposure.stops)) for _, exposure in expose(clip, given.mode)]
            print(_row(path.stem, {"lifted by (median)": max(stops)}), flush=True)
            continue
        if not given.darken:
            output = np.stack([picture for picture, _ in expose(clip, given.mode)])
            print(_row(path.stem, real(clip, output)), flush=True)
            _sheet(given.sheet, path.stem, clip[-1], output[-1])
            continue
        height, width = clip.shape[1:3]
        cases = [(f"even {e:.2f}", (np.full((height, width), e, np.float32)[..., None], 0), e) for e in EXPOSURES]
        for ambient in AMBIENTS:
            field, lamps = night_field(height, width, ambient)
            cases.append((f"uneven 1/{1 / ambient:.0f}", (field[..., None], lamps), 0.0))
        for name, (field, lamps), exposure in cases:
            source = darken(clip, field, lamps)
            pictures, maps = zip(*expose(source, given.mode))
            values = true(np.stack(pictures), clip, source)
            if exposure:
                errors.append(float(np.median(maps[-1].stops)) + float(np.log2(exposure)))
                values["error in stops"] = errors[-1]
            print(_row(f"{path.stem[-20:]} {name}", values), flush=True)
            _sheet(given.sheet, f"{path.stem} {name.replace('/', '_')}", source[-1], pictures[-1], clip[-1])
    if errors:
        print(f"mean absolute error of the meter: {np.mean(np.abs(errors)):.2f} stops")


if __name__ == "__main__":
    main()
