"""The identity of a piece of work: of what input, with what settings, and by what it is done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.frame import StreamInfo
from realtime.manifest import library_versions
from realtime.media.checksum import sha256
from realtime.media.job_tag import JOB_TAG
from realtime.processor import EngineInfo

#: Hexadecimal digits of each half of a job's id: transport streams have room for few letters.
DIGITS = 16
#: Options that change speed and last bits, or that stand for something else here.
HOW_IT_IS_COMPUTED = ("weights", "device", "precision", "batch")


@dataclass(frozen=True)
class Job:
    """Work on one file.

    - `id`: two halves. The first stands for the input and the settings (`request_id`): outputs with the same are what
      the user asked for. The second stands for the engine and the versions: only with both equal can one run continue
      another.
    - `parameters`: what decides how the output comes out. `tags`: the same for the output's own tags.
    """

    id: str
    parameters: dict[str, Any]
    tags: dict[str, str]


def request_id(
    source: Path, enhance: EnhanceOptions | Any, encoding: EncodingOptions, overrides: InputOverrides
) -> str:
    """The first half of the job's id, known without loading an engine.

    `enhance` is the options, or a processor, which has them as `options` or is told apart by its type alone. Raises
    WeightsError when the weights are missing.
    """
    about = source.stat()
    wanted = _wanted(enhance)
    how = {name: value for name, value in asdict(encoding).items() if name != "strict"}
    return _digest([source.name, about.st_size, about.st_mtime_ns, wanted, how, asdict(overrides)])


def plan_job(
    source: Path, info: StreamInfo, processor: Any, encoding: EncodingOptions, overrides: InputOverrides
) -> Job:
    """The job of enhancing `source` with `processor`; asks it what engine it will use for such a stream."""
    plan = getattr(processor, "plan", None)
    engine: EngineInfo = plan(info) if plan is not None else EngineInfo(type(processor).__name__)
    version = metadata.version("mbllen-realtime")
    done_by = {"engine": engine.engine, "device": engine.device, "precision": engine.precision}
    settings = {name: value for name, value in _wanted(processor).items() if name != "engine"}
    if (weights := getattr(processor, "weights", None)) is not None:
        settings["weights"] = weights.name
    identity = f"{request_id(source, processor, encoding, overrides)}-{_digest([version, done_by, library_versions()])}"
    described = ", ".join(f"{name} {value}" for name, value in (done_by | settings).items() if value is not None)
    parameters = {"version": version, **done_by, **settings, "encoding": asdict(encoding), "input": asdict(overrides)}
    tags = {"enhanced_by": f"realtime {version}", "enhanced_with": described, JOB_TAG: identity}
    return Job(identity, parameters, tags)


def _wanted(enhance: EnhanceOptions | Any) -> dict[str, Any]:
    """What was asked of the enhancement, with the weights by their content and without how it is computed."""
    options = enhance if isinstance(enhance, EnhanceOptions) else getattr(enhance, "options", None)
    if not isinstance(options, EnhanceOptions):
        return {"engine": type(enhance).__name__}
    if isinstance(enhance, EnhanceOptions):
        from realtime.enhance.weights import find

        weights = find(options.weights)
    else:
        weights = enhance.weights
    wanted = {name: value for name, value in asdict(options).items() if name not in HOW_IT_IS_COMPUTED}
    return wanted | {"weights_sha256": sha256(weights.path)}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]
