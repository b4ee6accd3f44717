/* The pyramid of the fast engine: `engines/fast/pyramid.py` and `engines/fast/output.py` in one pass each. */
#include "rows.h"

/* Means of 2x2, to whole numbers. `width` and `height` are those of `halved`. */
EXPORT int halve(const int16_t *values, int16_t *halved, int32_t width, int32_t height) {
    for (int32_t y = 0; y < height; y++) {
        const int16_t *restrict upper = values + (int64_t)4 * y * width, *restrict lower = upper + 2 * width;
        int16_t *restrict to = halved + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++)
            to[x] = (int16_t)((upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2);
    }
    return 0;
}

/* The same, not rounded, times `scale`. */
EXPORT int halve_to_float(const int16_t *values, float scale, float *halved, int32_t width, int32_t height) {
    for (int32_t y = 0; y < height; y++) {
        const int16_t *restrict upper = values + (int64_t)4 * y * width, *restrict lower = upper + 2 * width;
        float *restrict to = halved + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++)
            to[x] = (float)(upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) * (0.25f * scale);
    }
    return 0;
}

/* The mean distance of four values, times `scale`, from `quarter`, their mean. `width` and `height` are those of `half`. */
EXPORT int roughness(const int16_t *half, const Map *quarter, float scale, float *rough, int32_t width, int32_t height) {
    const int64_t size = room_for(width);
    float *room = malloc(sizeof(float) * (size_t)size * 4);
    if (!room) return 1;
    Strip quarters = strip_of(quarter, room + 2 * size, width, height);
    for (int32_t y = 0; y < height; y++) {
        float *restrict away = room + (y & 1 ? size : 0);
        const Row q = row_at(&quarters, y);
        const int16_t *restrict from = half + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++) away[x] = size_of((float)from[x] * scale - at(q, x));
        if (!(y & 1)) continue;
        float *restrict to = rough + (int64_t)(y / 2) * (width / 2);
        const float *upper = room, *lower = room + size;
        for (int32_t x = 0; x < width / 2; x++)
            to[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) * 0.25f;
    }
    free(room);
    return 0;
}

INLINE float wiener(float rough, float noise, float smooth) {
    const float power = rough * rough + smooth;
    return power / (noise * noise + power);
}

/* Gain and base at a quarter, from luma at a quarter and at an eighth and the maps at an eighth. */
EXPORT int restore_luma(const float *quarter, const float *rough, const Map *eighth, const Map *shift, const Map *fine,
                        const Map *middle, const Map *noise, const Map *middle_noise, float smooth, float top, float *gain,
                        float *base, int32_t width, int32_t height) {
    const int32_t half = width / 2;
    const Map *given[] = {eighth, shift, fine, noise};
    const int64_t size = room_for(width);
    float *room = malloc(sizeof(float) * (size_t)size * 12 + sizeof(float) * (size_t)half * (size_t)(height / 2));
    if (!room) return 1;
    Strip strips[4];
    for (int index = 0; index < 4; index++) strips[index] = strip_of(given[index], room + (2 * index + 2) * size, width, height);
    /* The gain of middle detail, which depends on how rough that is around. */
    float *gains = room + 12 * size;
    const Map middle_gain = {gains, half, height / 2};
    Strip middles = strip_of(&middle_gain, room + 10 * size, width, height);
    for (int32_t y = 0; y < height; y++) {
        float *restrict away = room + (y & 1 ? size : 0);
        const Row low = row_at(&strips[0], y);
        const float *restrict from = quarter + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++) away[x] = size_of(from[x] - at(low, x));
        if (!(y & 1)) continue;
        const float *upper = room, *lower = room + size;
        const int64_t start = (int64_t)(y / 2) * half;
        INDEPENDENT
        for (int32_t x = 0; x < half; x++) {
            const float mean = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) * 0.25f;
            gains[start + x] = middle->values[start + x] * wiener(mean, middle_noise->values[start + x], smooth);
        }
    }
    for (int32_t y = 0; y < height; y++) {
        const Row low = row_at(&strips[0], y), s = row_at(&strips[1], y), f = row_at(&strips[2], y), n = row_at(&strips[3], y);
        const Row m = row_at(&middles, y);
        const int64_t start = (int64_t)y * width;
        const float *restrict luma = quarter + start, *restrict r = rough + start;
        float *restrict g = gain + start, *restrict b = base + start;
        INDEPENDENT
        for (int32_t x = 0; x < width; x++) {
            const float below = at(low, x), keep = at(f, x) * wiener(r[x], at(n, x), smooth);
            g[x] = keep;
            b[x] = ((luma[x] - below) * at(m, x) + below + at(s, x) - keep * luma[x]) * top;
        }
    }
    free(room);
    return 0;
}

/* `(plane * gain + shift) * top` at a quarter, the maps at an eighth. */
EXPORT int restore_chroma(const float *plane, const Map *gain, const Map *shift, float top, float *restored, int32_t width,
                          int32_t height) {
    const int64_t size = room_for(width);
    float *room = malloc(sizeof(float) * (size_t)size * 4);
    if (!room) return 1;
    Strip gains = strip_of(gain, room, width, height), shifts = strip_of(shift, room + 2 * size, width, height);
    for (int32_t y = 0; y < height; y++) {
        const Row g = row_at(&gains, y), s = row_at(&shifts, y);
        const float *restrict from = plane + (int64_t)y * width;
        float *restrict to = restored + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++) to[x] = (from[x] * at(g, x) + at(s, x)) * top;
    }
    free(room);
    return 0;
}

/* Samples of `(gain * lifted + base) * scale + offset`, or of `base` alone, in 0..`top`. */
EXPORT int restore(const int16_t *lifted, const Map *gain, const Map *base, int32_t grid_width, int32_t grid_height,
                   float scale, float offset, float top, void *samples, int32_t bytes, int32_t width, int32_t height) {
    const int64_t size = room_for(grid_width);
    float *room = malloc(sizeof(float) * (size_t)size * 5);
    if (!room) return 1;
    Strip gains = strip_of(gain, room + size, grid_width, grid_height);
    Strip bases = strip_of(base, room + 3 * size, grid_width, grid_height);
    for (int32_t y = 0; y < height; y++) {
        const Row b = row_at(&bases, y);
        float *restrict row = room;
        if (lifted) {
            const Row g = row_at(&gains, y);
            const int16_t *restrict from = lifted + (int64_t)y * grid_width;
            for (int32_t x = 0; x < width; x++) row[x] = (float)from[x] * at(g, x) + at(b, x);
        } else {
            for (int32_t x = 0; x < width; x++) row[x] = at(b, x);
        }
        if (bytes == 1) {
            uint8_t *restrict to = (uint8_t *)samples + (int64_t)y * width;
            for (int32_t x = 0; x < width; x++)
                to[x] = (uint8_t)(int32_t)rounded(min(max(row[x] * scale + offset, 0.0f), top));
        } else {
            uint16_t *restrict to = (uint16_t *)samples + (int64_t)y * width;
            for (int32_t x = 0; x < width; x++)
                to[x] = (uint16_t)(int32_t)rounded(min(max(row[x] * scale + offset, 0.0f), top));
        }
    }
    free(room);
    return 0;
}
