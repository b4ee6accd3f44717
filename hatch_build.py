"""Compiles ``realtime/enhance/native`` while the package is built. Without a C compiler it is only slower."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "realtime/enhance/native"
#: As `library.FILE` has it.
LIBRARY = "library.bin"
#: Numbers are finite, and round as the processor likes: then loops become vector instructions.
FLAGS = (
    "-std=c11 -O3 -fPIC -shared -Wno-psabi -ffp-contract=fast -fno-math-errno -fno-trapping-math "
    "-ffinite-math-only -fno-signed-zeros"
)


class NativeFunctions(BuildHookInterface):  # type: ignore[type-arg,misc]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        folder = Path(self.root, FOLDER)
        if compiled(folder):
            build_data["artifacts"].append(f"{FOLDER}/{LIBRARY}")
            build_data["pure_python"], build_data["infer_tag"] = False, True
            return
        self.app.display_warning("no C compiler, or a folder that is read-only: enhancing will take longer")
        with suppress(OSError):
            (folder / LIBRARY).unlink()  # one that was built by another compiler


def compiled(folder: Path) -> bool:
    """Compiles for several processors, or, where the system cannot choose among them, for the plainest. Puts the
    library in place when it is whole: others may be building, or using the one that was there."""
    sources = sorted([*folder.glob("*.c"), *folder.glob("*.h")])
    stamp = f"-DSOURCES={zlib.crc32(b''.join(path.read_bytes() for path in sources))}u"  # as `library` has it
    files = [str(path) for path in sources if path.suffix == ".c"]
    target = folder / f"{LIBRARY}.{os.getpid()}"
    try:
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if not compiler or shutil.which(compiler[0]) is None:
            return False
        for more in (["-DVERSIONS"], []):
            command = [*compiler, *shlex.split(FLAGS), stamp, *more, "-o", str(target), *files]
            if subprocess.run(command, capture_output=True).returncode == 0:
                target.replace(folder / LIBRARY)
                return True
        return False
    except (OSError, ValueError):  # no program, a folder that is read-only, a quotation without its end
        return False
    finally:
        with suppress(OSError):
            target.unlink()
