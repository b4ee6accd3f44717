"""What a training is asked for, and what of it must not change when it is resumed. Loads no other module of ours."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import TrainingError

#: Grows when scenes on disk would no longer be what the code makes.
SCENE_VERSION = 3


@dataclass(frozen=True)
class TrainingSettings:
    """How long and on what to train.

    - `steps`: in all, over all sessions. `batch`: crops a step. `crop`: their side in pixels.
    - `rate`: the peak of the learning rate.
    - `seed`: of scenes, crops and first weights.
    - `hold_out`: glob patterns of names of files for validation, beside the usual 12 %.
    - `first_scenes`: scenes before the first step; `steps_per_scene`: steps until there is one more.
    - `save_minutes`: between two checkpoints.
    """

    steps: int
    crop: int
    batch: int = 8
    rate: float = 1e-3
    seed: int = 0
    hold_out: Sequence[str] = ()
    first_scenes: int = 64
    steps_per_scene: int = 2
    save_minutes: float = 5.0

    def check(self, min_crop: int, max_crop: int, crop_multiple: int = 1) -> None:
        """Raises TrainingError for a value out of range; `crop` must be a multiple of `crop_multiple`."""
        for name, value in (("steps", self.steps), ("batch", self.batch), ("steps per scene", self.steps_per_scene)):
            if value < 1:
                raise TrainingError(f"{name} {value} must be 1 or more")
        if not min_crop <= self.crop <= max_crop or self.crop % crop_multiple:
            multiple = f" and a multiple of {crop_multiple}" if crop_multiple > 1 else ""
            raise TrainingError(f"crop {self.crop} must be {min_crop} to {max_crop}{multiple}")
        if self.seed < 0:
            raise TrainingError(f"seed {self.seed} must be 0 or more")
        if not 0 < self.rate < math.inf:
            raise TrainingError(f"rate {self.rate:g} must be more than 0")


#: For `train.train`.
TRAIN_DEFAULTS = TrainingSettings(steps=25_000, crop=96)
#: For `distil.distil`: a target costs more than a training step, so a scene serves longer.
DISTIL_DEFAULTS = TrainingSettings(steps=20_000, crop=192, first_scenes=48, steps_per_scene=20)


def check_resumable(out: Path, settings: TrainingSettings, **others: str) -> None:
    """Writes into `out`/settings.json what must stay the same from session to session, or compares with it.

    These are the seed, the held-out patterns, the version of scenes on disk, and `others`. Raises TrainingError when
    one has changed (scenes on disk would be of another kind, or files that were trained on would validate), and when
    `out` cannot be written.
    """
    path = out / "settings.json"
    wanted = {"seed": settings.seed, "hold_out": sorted(settings.hold_out), "scene_version": SCENE_VERSION, **others}
    if not path.exists():
        if (out / "state.npz").exists():
            raise TrainingError(f"{out} was begun by an older version; use another folder")
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(wanted, indent=2) + "\n", "utf-8")
        except OSError as error:
            raise TrainingError(f"cannot write to {out}: {error}") from error
        return
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise TrainingError(f"{path} is damaged; use another folder") from error
    for name, value in wanted.items():
        if found.get(name) != value:
            raise TrainingError(
                f"{out} was begun with {name.replace('_', ' ')} {found.get(name)}, not {value}; "
                "resume with the same, or use another folder"
            )
