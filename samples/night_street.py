"""The street of the night drive sample: bodies, cars, lamps and a pedestrian, and what a ray through a pixel meets.

Axes: x right, y up, z along the street, in metres; time in seconds. A ray is (X, Y, 1), so the distance along it *is*
its depth in z, and X depends on the column alone, Y on the row alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

W, H, SEED = 480, 270, 20
FOCAL = 390.0  # pixels
KERB, LAMP_H = 5.8, 6.4  # m
SUBFRAMES, SHUTTER = 4, 1 / 40  # each frame averages jittered renders spread over the shutter time, s
Mat = IntEnum("Mat", "ROAD PAVE FACADE PAINT LEAF EMIT SIGN RETRO")
F = NDArray[np.float32]
A = NDArray[np.floating]
Vec = tuple[float, float, float]
Poly = Sequence[tuple[float, float]]


def blur(img: F, sx: float, sy: float) -> F:
    """Gaussian blur of the first two axes, sigmas in pixels, by FFT (so periodic)."""
    fy, fx = np.fft.fftfreq(img.shape[0])[:, None], np.fft.rfftfreq(img.shape[1])[None]
    k = np.exp(-2 * np.pi**2 * ((sy * fy) ** 2 + (sx * fx) ** 2))
    spec = np.fft.rfft2(img, axes=(0, 1)) * (k if img.ndim == 2 else k[..., None])
    out: F = np.fft.irfft2(spec, s=img.shape[:2], axes=(0, 1)).astype(np.float32)
    return out


def noise_levels() -> F:
    """Tiling 1/f noise, 512x512, unit deviation; level k is blurred by 2**k texels, so far surfaces do not shimmer."""
    white = np.random.default_rng(SEED).standard_normal((512, 512))
    f = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None])
    f[0, 0] = np.inf
    pink = np.fft.irfft2(np.fft.rfft2(white) / f**0.9, s=(512, 512)).astype(np.float32)
    pink /= pink.std()
    return np.stack([pink] + [blur(pink, 0.5 * 2**k, 0.5 * 2**k) for k in range(1, 8)])


NOISE = noise_levels()


def tex(u: A, v: A, per_m: float, depth: A) -> F:
    """Noise at (u, v) metres, per_m texels a metre, filtered for a surface at that depth in metres."""
    level = np.clip(np.log2(np.maximum(depth / FOCAL * per_m * 1.5, 1)), 0, 7).astype(np.intp)
    out: F = NOISE[level, (v * per_m).astype(np.intp) & 511, (u * per_m).astype(np.intp) & 511]
    return out


def hash01(*keys: A | float) -> F:
    """Give a repeatable number in [0, 1) for each combination of keys."""
    s = sum(np.asarray(k, np.float64) * m for k, m in zip(keys, (12.9898, 78.233, 37.719), strict=False))
    h: F = np.asarray(np.mod(np.sin(s) * 43758.5453, 1), np.float32)
    return h


@dataclass(frozen=True)
class Solid:
    """A convex body: half-spaces (rows nx, ny, nz, d with n.p + d <= 0 inside), or an ellipsoid (planes is None)."""

    lo: Vec
    hi: Vec
    mat: int
    rgb: Vec  # albedo, or radiance for Mat.EMIT
    planes: NDArray[np.float64] | None = None
    seed: float = 0.0
    caster: bool = False

    def hit(self, o: Vec, dx: A, dy: A, dz: A | float = 1.0) -> tuple[A, A, A, A]:
        """Nearest entry from o along (dx, dy, dz): its multiple of the direction (inf: none) and the normal there."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.planes is None:
                c, r = [(a + b) / 2 for a, b in zip(self.lo, self.hi, strict=True)], np.subtract(self.hi, self.lo) / 2
                q = [(o[i] - c[i]) / r[i] for i in range(3)]
                e = [dx / r[0], dy / r[1], dz / r[2]]
                a, b = e[0] ** 2 + e[1] ** 2 + e[2] ** 2, e[0] * q[0] + e[1] * q[1] + e[2] * q[2]
                t = (-b - np.sqrt(b * b - a * (q[0] ** 2 + q[1] ** 2 + q[2] ** 2 - 1))) / a
                n = [(q[i] + t * e[i]) / r[i] for i in range(3)]
                m = np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2)
                return np.where(t > 0.05, t, np.inf), n[0] / m, n[1] / m, n[2] / m
            shape = np.broadcast(dx, dy, dz).shape
            near, far, which = np.zeros(shape), np.full(shape, np.inf), np.zeros(shape, np.intp)
            for k, (nx, ny, nz, d) in enumerate(self.planes):
                den = nx * dx + ny * dy + nz * dz
                t = -(nx * o[0] + ny * o[1] + nz * o[2] + d) / den
                into = (den < 0) & (t > near)
                near, which = np.where(into, t, near), np.where(into, k, which)
                far = np.where(den > 0, np.minimum(far, t), far)
            n3 = self.planes[which]
            return np.where((near < far) & (near > 0.05), near, np.inf), n3[..., 0], n3[..., 1], n3[..., 2]


def ball(c: Vec, r: Vec, mat: int, rgb: Vec, seed: float = 0.0, caster: bool = False) -> Solid:
    """Make an ellipsoid with center c and radii r, metres."""
    lo, hi = (c[0] - r[0], c[1] - r[1], c[2] - r[2]), (c[0] + r[0], c[1] + r[1], c[2] + r[2])
    return Solid(lo, hi, mat, rgb, None, seed, caster)


def prism(zy: Poly, x0: float, x1: float, mat: int, rgb: Vec, lean: float = 0.0, seed: float = 0.0) -> Solid:
    """Sweep a convex (z, y) outline, clockwise from the lower left, from x0 to x1; `lean` tilts the sides inwards."""
    base, k = min(p[1] for p in zy), float(np.hypot(1, lean))
    rows: list[tuple[float, ...]] = [(-1 / k, lean / k, 0, (x0 - lean * base) / k)]
    rows.append((1 / k, lean / k, 0, (-x1 - lean * base) / k))
    for (za, ya), (zb, yb) in zip(zy, [*zy[1:], zy[0]], strict=True):
        n = float(np.hypot(zb - za, yb - ya))
        ny, nz = (zb - za) / n, -(yb - ya) / n
        rows.append((0, ny, nz, -(ny * ya + nz * za)))
    zs, ys = [p[0] for p in zy], [p[1] for p in zy]
    return Solid((x0, min(ys), min(zs)), (x1, max(ys), max(zs)), mat, rgb, np.array(rows), seed, mat == Mat.PAINT)


def box(lo: Vec, hi: Vec, mat: int, rgb: Vec, seed: float = 0.0) -> Solid:
    """Make an axis-aligned box, metres."""
    return prism([(lo[2], lo[1]), (lo[2], hi[1]), (hi[2], hi[1]), (hi[2], lo[1])], lo[0], hi[0], mat, rgb, 0.0, seed)


def car(x: float, z: float, rgb: Vec, way: int = 1, van: bool = False) -> list[Solid]:
    """Build a car with its tail (way 1) or its nose (way -1) at z; way -1 also gets burning headlights."""

    def at(*pts: tuple[float, float]) -> Poly:
        return [(z + (p if way > 0 else 4.4 - p), y) for p, y in (pts if way > 0 else pts[::-1])]

    top = 1.95 if van else 1.46
    zs = (0.1, 0.25, 3.0, 3.9) if van else (0.3, 1.0, 2.3, 3.3)
    roof = [(zs[0], 0.9), (zs[1], top), (zs[2], top), (zs[3], 0.9)]
    body = at((0.05, 0.28), (0, 0.7), (0.15, 0.94), (3.2, 0.97), (4.25, 0.8), (4.4, 0.55), (4.35, 0.28))
    lid, low = top + 0.03, top - 0.07
    cap = at((zs[1] - 0.05, low), (zs[1] + 0.1, lid), (zs[2], lid), (zs[2] + 0.12, low))
    out = [prism(body, x - 0.88, x + 0.88, Mat.PAINT, rgb, 0.06), prism(cap, x - 0.65, x + 0.65, Mat.PAINT, rgb, 0.2)]
    out.append(prism(at(*roof), x - 0.8, x + 0.8, Mat.PAINT, (0.02, 0.02, 0.02), 0.3))
    for wz in (z + 0.9, z + 3.5):
        for dx in (-0.8, 0.8):
            out.append(ball((x + dx, 0.32, wz), (0.13, 0.32, 0.32), Mat.PAINT, (0.03, 0.03, 0.03)))
            out.append(ball((x + dx * 1.1, 0.32, wz), (0.07, 0.2, 0.2), Mat.PAINT, (0.12, 0.12, 0.12)))
    for dx in (-0.66, 0.66):
        if way > 0:
            out.append(
                box((x + dx - 0.17, 0.62, z - 0.03), (x + dx + 0.17, 0.78, z + 0.1), Mat.RETRO, (0.35, 0.01, 0.01))
            )
        else:
            out.append(ball((x + dx, 0.66, z + 0.02), (0.13, 0.09, 0.06), Mat.EMIT, (150, 160, 185)))
    return [*out, box((x - 0.26, 0.44, z - 0.04), (x + 0.26, 0.55, z + 0.1), Mat.RETRO, (0.2, 0.2, 0.17))]


def sorted_x(xa: float, xb: float, y0: float, y1: float, z0: float, z1: float) -> tuple[Vec, Vec]:
    """Order the corners of a box whose x limits come in either order."""
    return (min(xa, xb), y0, z0), (max(xa, xb), y1, z1)


def street() -> tuple[list[Solid], list[Vec]]:
    """Everything that stands still, and where the street lamps' heads are."""
    rng = np.random.default_rng(SEED)
    tones = [(0.24, 0.1, 0.07), (0.38, 0.32, 0.22), (0.26, 0.26, 0.27), (0.34, 0.2, 0.12), (0.2, 0.24, 0.26)]
    out, lamps = [], []
    for side in (-1, 1):
        z = -14.0 + 3 * side
        out.append(box(*sorted_x(side * KERB, side * 14, 0, 0.14, -40, 260), Mat.PAVE, (0.15, 0.145, 0.14)))
        while z < 165:
            wide, tall, back = rng.uniform(8, 15), 3.8 + 3.0 * rng.integers(2, 5), rng.uniform(0, 0.9)
            tone = tones[int(rng.integers(5))]
            near = side * (9.2 + back)
            out.append(
                box(*sorted_x(near, near + side * 12, 0, tall, z, z + wide), Mat.FACADE, tone, float(rng.random()))
            )
            z += wide + (rng.uniform(2, 4) if rng.random() < 0.3 else 0.0)
        for z in np.arange(8.0 + 11 * (side > 0), 150, 22):
            x = side * (KERB + 0.5)
            out.append(box((x - 0.07, 0, z - 0.07), (x + 0.07, LAMP_H + 0.1, z + 0.07), Mat.PAINT, (0.12, 0.13, 0.13)))
            out.append(
                box(*sorted_x(x, x - side * 1.7, LAMP_H, LAMP_H + 0.1, z - 0.05, z + 0.05), Mat.PAINT, (0.12,) * 3)
            )
            lamps.append((x - side * 1.6, LAMP_H - 0.08, float(z)))
            out.append(ball(lamps[-1], (0.34, 0.07, 0.16), Mat.EMIT, (60, 42, 20)))
        for z in np.arange(17.0 + 11 * (side < 0), 150, 22) + rng.uniform(-2, 2):
            x = side * (KERB + 1.1)
            out.append(box((x - 0.13, 0, z - 0.13), (x + 0.13, 3.4, z + 0.13), Mat.PAINT, (0.09, 0.065, 0.045)))
            for _ in range(5):
                c = (x + rng.uniform(-0.8, 0.8), rng.uniform(3.4, 5.6), z + rng.uniform(-0.9, 0.9))
                r = rng.uniform(0.9, 1.5)
                out.append(ball(c, (r, r * 0.85, r), Mat.LEAF, (0.07, 0.12, 0.035), float(rng.random()), True))
    out.append(box((-30, 0, 172), (30, 15.8, 185), Mat.FACADE, tones[2], 0.37))
    for x, z, rgb, van in ((4.75, 19.0, (0.3, 0.03, 0.03), False), (4.75, 25.5, (0.06, 0.12, 0.28), False),
                           (4.8, 52.0, (0.3, 0.31, 0.32), True), (4.75, 59.0, (0.12, 0.2, 0.1), False),
                           (-4.8, 13.0, (0.35, 0.34, 0.3), False), (-4.8, 32.0, (0.05, 0.05, 0.06), False),
                           (-4.8, 50.0, (0.1, 0.1, 0.25), True), (4.75, 66.0, (0.3,) * 3, False)):  # fmt: skip
        out += car(x, z, rgb, van=van)
    for z, x in ((47.6, 6.15), (64.0, -6.15)):
        out.append(box((x - 0.04, 0, z + 0.02), (x + 0.04, 2.9, z + 0.1), Mat.PAINT, (0.3,) * 3))
        out.append(ball((x, 2.55, z), (0.36, 0.36, 0.02), Mat.SIGN, (0.5, 0.5, 0.5)))
    return out, lamps


def walker(t: float) -> list[Solid]:
    """Build a pedestrian in a dark coat walking along the right-hand kerb, at t seconds."""
    x, z, s = 6.3, 43.5 - 1.2 * t, 0.28 * float(np.sin(2 * np.pi * 0.95 * t))
    coat, jeans, skin = (0.13, 0.06, 0.05), (0.04, 0.05, 0.09), (0.3, 0.2, 0.15)
    parts = [((x, 1.18, z), (0.24, 0.42, 0.17), coat), ((x, 1.73, z), (0.11, 0.14, 0.12), skin)]
    parts.append(((x, 1.8, z + 0.03), (0.12, 0.1, 0.12), (0.03, 0.02, 0.02)))
    parts.append(((x + 0.3, 0.9, z - s), (0.1, 0.16, 0.2), (0.3, 0.16, 0.03)))  # a bag
    for k in (-1, 1):
        parts.append(((x + 0.1 * k, 0.52, z + 0.5 * k * s), (0.1, 0.42, 0.11), jeans))
        parts.append(((x + 0.26 * k, 1.2, z - 0.6 * k * s), (0.07, 0.33, 0.08), coat))
        parts.append(((x + 0.1 * k, 0.19, z + k * s - 0.06), (0.07, 0.06, 0.14), (0.05,) * 3))
    return [ball(c, r, Mat.PAINT, rgb, caster=True) for c, r, rgb in parts]


STREET, LAMPS = street()


def trace(solids: list[Solid], o: Vec, dx: F, dy: F) -> tuple[F, NDArray[np.intp], F]:
    """Depth in metres (1e4: sky), index of the body hit (-1: road, -2: sky) and normals, for rays (dx, dy, 1)."""
    depth, which = np.full((H, W), 1e4, np.float32), np.full((H, W), -2, np.intp)
    normal = np.zeros((3, H, W), np.float32)
    down = np.broadcast_to(dy < -o[1] / 400, (H, W))
    depth[down], which[down], normal[1] = np.broadcast_to(-o[1] / np.minimum(dy, -1e-3), (H, W))[down], -1, 1
    for k, s in enumerate(solids):
        z0, z1 = max(s.lo[2] - o[2], 0.2), s.hi[2] - o[2]
        if z1 <= 0.2:
            continue
        xs = [(x - o[0]) / z for x in (s.lo[0], s.hi[0]) for z in (z0, z1)]
        ys = [(y - o[1]) / z for y in (s.lo[1], s.hi[1]) for z in (z0, z1)]
        c0, c1 = np.searchsorted(dx[0], [min(xs), max(xs)])
        r0, r1 = np.searchsorted(-dy[:, 0], [-max(ys), -min(ys)])
        if c0 == c1 or r0 == r1:
            continue
        view = np.s_[r0:r1, c0:c1]
        rx, ry = dx[:, c0:c1], dy[r0:r1]
        d, nx, ny, nz = s.hit(o, rx, ry)
        if s.mat == Mat.LEAF:  # ragged edges and gaps between the leaves
            q = np.where(np.isfinite(d), d, 0)
            holes = tex(o[2] + q + o[0] + q * rx + s.seed * 9, o[1] + q * ry, 14, q)
            d = np.where(holes > 0.1 - 1.5 * nz, np.inf, d)
        near = d < depth[view]
        depth[view][near], which[view][near] = d[near], k
        for i, n in enumerate((nx, ny, nz)):
            normal[i][view][near] = np.broadcast_to(n, near.shape)[near]
    return depth, which, normal
