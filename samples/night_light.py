"""How the night street looks: materials, lamps and headlights, shadows, the sky, and the lens in front of it.

Light is linear: 1 is a brightly lit white wall. Lengths are in metres, times in seconds.
"""

from __future__ import annotations

import numpy as np
from night_street import FOCAL, KERB, LAMPS, SEED, STREET, F, H, Mat, Solid, W, blur, car, hash01, tex, trace, walker
from numpy.typing import NDArray

HORIZON = 128.0  # pixels from the top
SPEED, ONCOMING, MEET = 9.5, -11.0, 3.5  # m/s, m/s, s: our speed, the other car's, when it reaches the camera
SUBFRAMES, SHUTTER = 4, 1 / 40  # each frame averages jittered renders spread over the shutter time, s
GLARE = ((0.05, 2, 2), (0.035, 9, 9), (0.025, 38, 38), (0.012, 30, 0.7))  # weight, sigmas in pixels


def surface(solids: list[Solid], which: NDArray[np.intp], p: list[F], n: F, depth: F) -> tuple[F, F, F]:
    """Albedo (3, H, W), emitted light (3, H, W) and gloss (H, W) of what was hit at p (metres)."""
    mats = np.array([s.mat for s in solids] + [-1, Mat.ROAD])[which]
    rgb = np.array([s.rgb for s in solids] + [(0, 0, 0), (0.075, 0.075, 0.08)], np.float32)[which].transpose(2, 0, 1)
    seed = np.array([s.seed for s in solids] + [0, 0], np.float32)[which]
    tall = np.array([s.hi[1] for s in solids] + [0, 0], np.float32)[which]
    x, y, z = p
    glow, gloss = np.zeros_like(rgb), np.where(mats == Mat.PAINT, 0.35, 0).astype(np.float32)
    fine, broad = tex(x, z, 40, depth), 1.6 * tex(x, z * 0.4, 20, depth + 170)

    crack = np.abs(tex(x, z * 0.6, 17, depth * 0.5) + 0.2) < 0.035
    patch = (np.abs(x - 2.6) < 0.7) & (np.mod(z, 31) < 4)
    tar = np.clip(1 + 0.22 * fine + 0.18 * broad, 0.35, 2) * np.where(crack & (depth < 30), 0.45, 1)
    tar *= np.where(patch, 0.55, 1)
    line = (np.abs(x) < 0.075) & (np.mod(z, 7) < 3) | (np.abs(np.abs(x) - 3.55) < 0.06)
    line |= (np.abs(z - 45.5) < 1.6) & (np.mod(x + 0.25, 1.0) < 0.5) & (np.abs(x) < 5)
    worn = line & (fine + 0.6 * broad < 1.5)
    road = mats == Mat.ROAD
    rgb = np.where(road, np.where(worn, 0.5 + 0.07 * fine, rgb * tar), rgb)
    gloss = np.where(road, np.clip(0.3 + 0.3 * broad, 0.04, 1), gloss)

    slab = (np.mod(x, 0.8) < 0.05) | (np.mod(z, 0.8) < 0.05)
    tile = 0.8 + 0.4 * hash01(np.floor(x / 0.8), np.floor(z / 0.8)) + 0.2 * fine
    edge = 1.7 + 0.2 * fine - 0.8 * (np.mod(z, 1.0) < 0.04)
    tile = np.where(np.abs(x) < KERB + 0.3, edge, tile * np.where(slab, 0.6, 1))
    rgb = np.where(mats == Mat.PAVE, rgb * tile, rgb)

    u = np.where(np.abs(n[0]) > 0.5, z, x) + seed * 50  # along the wall
    pitch, floor = 1.9 + 1.1 * np.mod(seed * 7, 1), 3.0
    (fu, col), (fv, row) = np.modf(u / pitch + 1000), np.modf((y - 3.8) / floor + 1000)  # kept positive
    course = np.floor(y / 0.24)
    bu = u / 0.5 + 0.5 * np.mod(course, 2)
    joint = (np.mod(y / 0.24, 1) < 0.16) | (np.mod(bu, 1) < 0.08)
    near = np.clip(1.2 - depth / 32, 0, 1)
    brick = 1 + near * (0.5 * hash01(np.floor(bu), course) - 0.25 + 0.5 * joint)
    stain = 1 + 0.13 * tex(u, y, 20, depth) + 0.2 * tex(u, y * 0.3, 4, depth)
    wall = rgb * np.where(np.mod(seed * 13, 1) < 0.55, brick, 1) * stain * np.clip(0.65 + y / 6, 0, 1)
    wall = np.where((y > tall - 0.45) | (np.abs(y - 3.65) < 0.16), 0.42 * stain, wall)
    off_u, up = np.abs(fu - 0.5), y > 3.8
    glass = np.where(up, (off_u < 0.24) & (np.abs(fv - 0.52) < 0.27), (off_u < 0.4) & (np.abs(y - 1.6) < 1.1))
    frame = np.where(up, (off_u < 0.29) & (np.abs(fv - 0.52) < 0.31), (off_u < 0.45) & (np.abs(y - 1.55) < 1.3))
    glass &= (off_u > 0.015) & (np.abs(fv - 0.6) > 0.012) & (tall - y > 0.5)
    h = hash01(col, row, seed * 99)
    lit = glass & (h < np.where(up, 0.17, 0.3))
    wall = np.where(glass, 0.025, np.where(frame & (tall - y > 0.5), 0.4, wall))
    sign = ~up & (np.abs(y - 3.05) < 0.3) & (np.mod(seed * 17, 1) < 0.7)
    wall = np.where(sign, np.stack([0.1 + 0.4 * hash01(col * 0 + k, seed) for k in range(3)]), wall)
    warm = np.stack([np.full_like(h, 1.0), 0.6 + 1.3 * h, 0.24 + 2.4 * h])
    shelf = np.where(up, 1, np.where(y < 1.9, 0.3 + 0.7 * hash01(np.floor(u / 0.22), np.floor(y / 0.4), seed), 1))
    room = shelf * (0.25 + 0.75 * np.clip(fv, 0, 1) ** 2) * np.where(up & (off_u > 0.15), 0.55, 1)
    room *= 1 + 0.25 * tex(u, y, 9, depth)
    front = mats == Mat.FACADE
    rgb, glow = np.where(front, wall, rgb), np.where(front & lit, warm * room * np.where(up, 1.3, 1.6), glow)
    gloss = np.where(front & glass, 0.5, gloss)

    rgb = np.where(mats == Mat.LEAF, rgb * np.clip(1 + 0.55 * tex(x + z, y, 18, depth), 0.2, 3), rgb)
    mid = np.array([(np.add(s.lo, s.hi) / 2)[:2] for s in solids] + [(0, 0), (0, 0)], np.float32)[which]
    rim = np.hypot(x - mid[..., 0], y - mid[..., 1])
    bar = (rim < 0.25) & (np.abs(y - mid[..., 1]) < 0.06)
    red = np.where((rim < 0.31) & ~bar, 0, 1)
    face = np.stack([0.55 * np.where(bar | (rim > 0.33), 1, 0.8), 0.03 + 0.5 * red, 0.03 + 0.5 * red])
    rgb, glow = np.where(mats == Mat.SIGN, face, rgb), np.where(mats == Mat.EMIT, rgb, glow)
    return rgb.astype(np.float32), glow.astype(np.float32), gloss


def beam(rx: F, ry: F, rz: F) -> F:
    """Relative intensity of a dipped headlight towards (rx, ry, rz), with its cut-off just below the horizontal."""
    az, el = rx / np.maximum(rz, 0.1), ry / np.maximum(rz, 0.1)
    cut = 1 / (1 + np.exp(np.clip((el + 0.012 - 0.05 * np.clip(az, 0, 0.3)) / 0.008, -40, 40)))
    out: F = np.where(rz > 0.3, np.exp(-((az / 0.42) ** 2)) * (0.012 + cut * np.exp(-((el / 0.15) ** 2))), 0)
    return out


def render(t: float, jx: float, jy: float) -> F:
    """Scene radiance (H, W, 3) at t seconds, sampled (jx, jy) pixels off the pixel centers; 1 is a bright wall."""
    o = (1.75 + 0.08 * np.sin(0.9 * t), 1.32 + 0.012 * np.sin(9.1 * t) + 0.008 * np.sin(14.3 * t), SPEED * t)
    dx = ((np.arange(W) + jx - W / 2) / FOCAL + 0.006 * np.sin(0.8 * t))[None].astype(np.float32)
    dy = ((HORIZON - np.arange(H) - jy) / FOCAL + 0.002 * np.sin(9.1 * t + 1))[:, None].astype(np.float32)
    other = o[2] + (ONCOMING - SPEED) * (t - MEET)
    solids = [*STREET, *walker(t), *car(-1.75, other, (0.1, 0.1, 0.12), -1)]
    depth, which, n = trace(solids, o, dx, dy)
    p = [o[0] + depth * dx, o[1] + depth * dy, o[2] + depth]
    rgb, glow, gloss = surface(solids, which, p, n, depth)
    rough = np.stack([tex(p[0], p[2], 24, depth * 0.3), 0 * depth, tex(p[2], p[0], 24, depth * 0.3)])
    nb = n + np.where(which == -1, 0.035 * rough, 0)
    view = np.sqrt(dx**2 + dy**2 + 1)
    ambient = np.array((0.19, 0.21, 0.3))[:, None, None] * (0.62 + 0.38 * n[1] - 0.12 * n[0])
    shade = np.ones((H, W), np.float32)
    for s in solids:  # dark under anything that stands on the road
        if s.caster and s.lo[1] < 0.35 and s.lo[2] - o[2] < 60:
            gap = np.hypot(*(np.maximum(np.maximum(s.lo[i] - p[i], p[i] - s.hi[i]), 0) for i in (0, 2)))
            shade *= np.where((n[1] > 0.9) & (p[1] < 0.2), 1 - 0.75 * np.exp(-gap / 0.25), 1)
    total, shine = ambient * shade, ambient * 0.3 * (1 - np.abs(n[2] / view)[None]) ** 3
    lights = [(c, (78.0, 53.0, 25.0), 0) for c in LAMPS if -25 < c[2] - o[2] < 110]
    lights += [((o[0] + k, 0.68, o[2] + 1.4), (340.0, 330.0, 300.0), 1) for k in (-0.65, 0.65)]
    lights += [((-1.75 + k, 0.66, other - 0.1), (430.0, 450.0, 500.0), -1) for k in (-0.65, 0.65)]
    for c, power, kind in lights:
        lx, ly, lz = c[0] - p[0], c[1] - p[1], c[2] - p[2]
        d = np.sqrt(lx * lx + ly * ly + lz * lz)
        spread = np.clip(ly / d, 0, 1) ** 1.5 if kind == 0 else beam(-lx, -ly, -lz * kind)
        got = spread * shade / (d * d + 0.3)
        if kind == 0:
            for s in solids:
                if s.caster and abs(s.lo[2] - c[2]) < 14 and s.lo[2] - o[2] < 40 and abs(s.lo[0] - c[0]) < 9:
                    near = (which == -1) & (np.abs(p[2] - c[2]) < 18) & (depth < 45) & (spread > 0.2)
                    far = [float(v) for v in c]
                    hit = s.hit((far[0], far[1], far[2]), -lx[near], -ly[near], -lz[near])[0]
                    got[near] *= np.where(hit < 0.999, 0.25, 1)
        lam = np.clip((nb[0] * lx + nb[1] * ly + nb[2] * lz) / d, 0, 1)
        hx, hy, hz = lx / d - dx / view, ly / d - dy / view, lz / d - 1 / view
        spec = np.clip((nb[0] * hx + nb[1] * hy + nb[2] * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-6), 0, 1) ** 90
        color = np.array(power, np.float32)[:, None, None]
        total = total + color * got * lam
        shine = shine + color * got * spec * (1.0 if kind == 0 else 0.1)
    mats = np.array([s.mat for s in solids] + [-1, Mat.ROAD])[which]
    retro = np.where((mats == Mat.RETRO) | (mats == Mat.SIGN), 25 * np.exp(-(((depth - 12) / 18) ** 2)) / 10 + 0.4, 0)
    out = rgb * (total + retro) + glow + gloss * shine
    haze = np.exp(-depth / 240)
    air = np.array((0.05, 0.045, 0.045))[:, None, None]
    out = out * haze + (1 - haze) * air
    up = np.clip(dy, 0, 1) + 0 * dx
    fall = ((0.016, 0.05, 0.1), (0.02, 0.036, 0.13), (0.042, 0.025, 0.2))  # at the zenith, more at the horizon, scale
    sky = np.stack([a + b * np.exp(-up / c) for a, b, c in fall])
    sky *= 1 + 0.5 * tex(40 * dx + 0 * dy, 90 * dy + 0 * dx, 12, 0 * up + 250)
    sky += np.where(hash01(np.floor(dx * FOCAL + 0.5) + 0 * dy, np.floor(dy * FOCAL + 0.5) + 0 * dx) > 0.9985, 0.5, 0)
    moon = 1 / (1 + np.exp(np.clip((np.hypot(dx + 0.07, dy - 0.26) - 0.012) * 1500, -60, 60)))
    sky += np.array((3.2, 3.1, 2.7))[:, None, None] * moon
    img: F = np.where(which == -2, sky, out).transpose(1, 2, 0).astype(np.float32)
    return img


def exposure(start: float) -> F:
    """Light (H, W, 3) on the sensor with the shutter opening at `start` s: motion blur, glare, vignette."""
    rng = np.random.default_rng((SEED, 1))
    acc = np.zeros((H, W, 3), np.float32)
    for k in range(SUBFRAMES):
        jx, jy = (k + 0.5) / SUBFRAMES, (k * 0.381966 + rng.random() * 0.2) % 1
        acc += render(start + SHUTTER * k / SUBFRAMES, jx, jy) / SUBFRAMES
    wide = np.pad(np.minimum(acc, 150), ((0, 200), (0, 200), (0, 0)))  # room, as the blur wraps round
    glare = np.sum([a * blur(wide, sx, sy) for a, sx, sy in GLARE], axis=0)
    r2 = ((np.arange(W) - W / 2) ** 2)[None, :, None] + ((np.arange(H) - H / 2) ** 2)[:, None, None]
    img: F = ((acc * 0.9 + glare[:H, :W]) * (1 - 0.35 * r2 / (W / 2) ** 2)).astype(np.float32)
    return img
