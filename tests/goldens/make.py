"""Makes the goldens: python tests/goldens/make.py

``network.npz``: pictures of an even, an odd and a tiny size; the Keras model's float32 outputs for them / 255, with the
seeded weights of `synthetic.random_model`; and the enhancer's uint8 outputs for the same pictures.

``bundled.npz``: the same pictures' uint8 outputs with the bundled weights, of both engines, without exposure; of the
fast one with OpenCV (``fast``) and with what is compiled (``native``), which round otherwise.

Made on a CPU. The tests allow 1e-4 for floats, and one level for samples.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SIZES = {"even": (48, 32), "odd": (41, 33), "tiny": (15, 13)}


def main() -> None:
    sys.path.insert(0, str(HERE.parent))
    import synthetic

    from realtime import Enhancer
    from realtime.enhance.native import library
    from realtime.training.checkpoint import export

    if not library.available():
        raise SystemExit("the functions of realtime/enhance/native are not compiled")
    model = synthetic.random_model()
    goldens = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.h5"
        export(path, model)
        enhancer = Enhancer(weights=path, **synthetic.QUICK)
        for index, (name, (width, height)) in enumerate(SIZES.items()):
            picture = synthetic.noise(width, height, seed=index)
            goldens[f"{name}_input"] = picture[0]
            goldens[f"{name}_output"] = np.asarray(model(picture.astype(np.float32) / 255))[0]
            goldens[f"{name}_enhanced"] = enhancer(picture)[0]
    np.savez_compressed(HERE / "network.npz", **goldens)
    outputs = {}
    for way, engine, native in (("exact", "exact", False), ("fast", "fast", False), ("native", "fast", True)):
        library.available = (lambda: True) if native else (lambda: False)
        enhancer = Enhancer(**synthetic.QUICK | {"engine": engine})
        for name in SIZES:
            outputs[f"{way}_{name}"] = enhancer(goldens[f"{name}_input"][None])[0]
    np.savez_compressed(HERE / "bundled.npz", **outputs)


if __name__ == "__main__":
    main()
