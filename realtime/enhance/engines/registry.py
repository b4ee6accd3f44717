"""The engines and their abilities. A new one is a file of its own and an entry here; nothing else lists engines.

Loads no TensorFlow, so that the command line can offer the names.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import SettingError


@dataclass(frozen=True)
class EngineAbilities:
    """What the rest of the program needs to know of an engine before it is loaded.

    - `factory`: ``module:class``, called with weights, device and precision.
    - `levels`: how many ways there are to do less for a live stream; 1 is none.
    - `fixed_batch`: short batches must be padded.
    - `student`: it needs a file that was distilled from the weights.
    - `cpu_precision`: what ``auto`` means on a CPU; None measures.
    - `realtime`: it keeps up with any source; of any other, ``auto`` measures whether it does.
    """

    name: str
    factory: str
    levels: int = 1
    fixed_batch: bool = True
    student: bool = False
    cpu_precision: str | None = None
    realtime: bool = False


#: Best picture first.
ENGINES = (
    EngineAbilities("exact", "realtime.enhance.engines.exact.engine:ExactEngine"),
    EngineAbilities(
        "fast",
        "realtime.enhance.engines.fast.engine:FastEngine",
        levels=3,
        fixed_batch=False,
        student=True,
        cpu_precision="float32",
        realtime=True,
    ),
)
AUTO = "auto"


def engine_names() -> tuple[str, ...]:
    """What ``EnhanceOptions.engine`` may be."""
    return (AUTO, *(engine.name for engine in ENGINES))


def abilities(name: str) -> EngineAbilities:
    """The entry of that name. Raises SettingError for another name."""
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise SettingError(f"engine {name!r} is not one of {', '.join(engine_names())}")
