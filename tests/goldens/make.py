"""Makes the goldens: python tests/goldens/make.py

``network.npz``: pictures and the Keras model's float32 answers to them / 255, with the seeded weights of
`synthetic.random_model`, for an even, an odd and a tiny size; and the enhancer's uint8 answers to the same pictures.
Made on a CPU. The tests allow 1e-4 for the float answers and one level for the rounded ones.
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

    model = synthetic.random_model()
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.weights.h5"
        model.save_weights(path)
        enhancer = Enhancer(path, **synthetic.QUICK)
        for place, (name, (width, height)) in enumerate(SIZES.items()):
            picture = synthetic.noise(width, height, seed=place)
            kept[f"{name}_input"] = picture[0]
            kept[f"{name}_output"] = np.asarray(model(picture.astype(np.float32) / 255))[0]
            kept[f"{name}_enhanced"] = enhancer(picture)[0]
    np.savez_compressed(HERE / "network.npz", **kept)


if __name__ == "__main__":
    main()
