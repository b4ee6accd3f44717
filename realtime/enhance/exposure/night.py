"""Exposure that varies over the frame, lifts only what is there, and remembers what stands still: all that is needed
from outside.

One definition for both engines, in NumPy and OpenCV alone, so that it runs before TensorFlow has loaded:

- `light`: the curve. `lift` is the reference in float; a graph repeats it with `min`, `max` and a resize of the map.
- `reduced`: the small picture that everything looks at.
- `local_meter`: `measure`, from a small picture to an `ExposureMap`; pure functions.
- `controller`: `ExposureController`, the exposure of one stream over time.
- `memory`: `TemporalDenoiser`, the memory of one stream, on planes, before the lift; `gate`: where it gives way;
  `blend`: its mean on planes; `dark`: places without signal.
- `planes`: the lift on planes in 16-bit integers; `fine`: those planes; `buffers`: the memory for them.
"""

from realtime.enhance.exposure.controller import ExposureController
from realtime.enhance.exposure.fine import STEPS, Fine, to_fine, to_samples
from realtime.enhance.exposure.light import ExposureMap, even, lift, lift_rgb
from realtime.enhance.exposure.local_meter import Reading, Tone, measure
from realtime.enhance.exposure.memory import TemporalDenoiser
from realtime.enhance.exposure.planes import lift_planes
from realtime.enhance.exposure.reduced import Reduced, reduce_planes, reduce_rgb

__all__ = [
    "STEPS",
    "ExposureController",
    "ExposureMap",
    "Fine",
    "Reading",
    "Reduced",
    "TemporalDenoiser",
    "Tone",
    "even",
    "lift",
    "lift_planes",
    "lift_rgb",
    "measure",
    "reduce_planes",
    "reduce_rgb",
    "to_fine",
    "to_samples",
]
