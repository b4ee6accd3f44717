/* Memory and lift on full-size planes: `exposure/blend.py` and `exposure/planes.py` in one pass. */
#include "rows.h"

/* A row of samples is `scale * min(max(sample, low), high) + offset`, in fixed point. `bytes` of an unsigned sample; 0
 * for int16. `stride` in samples. */
typedef struct {
    const void *samples;
    int64_t stride;
    int32_t bytes;
    float scale, offset, low, high;
} Plane;

typedef struct {
    float toe, offset, slope1, constant1, slope2, constant2, landing, knee;
} Curve;

INLINE void read_row(const Plane *plane, int32_t y, int32_t width, float *restrict out) {
    const float scale = plane->scale, offset = plane->offset, low = plane->low, high = plane->high;
    const int64_t start = y * plane->stride;
    if (plane->bytes == 1) {
        const uint8_t *row = (const uint8_t *)plane->samples + start;
        for (int32_t x = 0; x < width; x++) out[x] = min(max((float)row[x], low), high) * scale + offset;
    } else if (plane->bytes == 2) {
        const uint16_t *row = (const uint16_t *)plane->samples + start;
        for (int32_t x = 0; x < width; x++) out[x] = min(max((float)row[x], low), high) * scale + offset;
    } else {
        const int16_t *row = (const int16_t *)plane->samples + start;
        for (int32_t x = 0; x < width; x++) out[x] = (float)row[x] * scale + offset;
    }
}

/* `before` and `memory` may be the same: every value is read before it is written. */
INLINE void blend_row(const int16_t *before, const float *restrict now, Strip *share, int32_t y, int32_t width,
                      int16_t *memory) {
    if (!share->map) {
        for (int32_t x = 0; x < width; x++) memory[x] = to_short(now[x]);
        return;
    }
    const Row shares = row_at(share, y);
    for (int32_t x = 0; x < width; x++) {
        const float old = (float)before[x];
        memory[x] = to_short(old + at(shares, x) * (now[x] - old));
    }
}

INLINE float lift(float luma, float base, float gain, Curve c) {
    float out = base + max(min(c.toe * base, c.offset * gain) - c.offset, 0.0f);
    out = min(out, min(c.slope1 * out + c.constant1, c.slope2 * out + c.constant2));
    return max(min(out, c.landing), luma > c.knee ? luma : 0.0f);
}

EXPORT int blend_and_lift_luma(const int16_t *before, const Plane *now, const Map *share, int16_t *memory, const Map *gain,
                               const Map *keep, const Map *level, const Curve *curve, int16_t *lifted, int32_t width,
                               int32_t height) {
    const int64_t size = room_for(width);
    float *room = malloc(sizeof(float) * (size_t)size * 9);
    if (!room) return 1;
    Strip shares = strip_of(share, room + size, width, height), gains = strip_of(gain, room + 3 * size, width, height);
    Strip keeps = strip_of(keep, room + 5 * size, width, height), levels = strip_of(level, room + 7 * size, width, height);
    for (int32_t y = 0; y < height; y++) {
        const int64_t start = (int64_t)y * width;
        read_row(now, y, width, room);
        blend_row(before + start, room, &shares, y, width, memory + start);
        if (!gain) continue;
        const Curve c = *curve;
        const Row g = row_at(&gains, y);
        const int16_t *restrict from = memory + start;
        int16_t *restrict to = lifted + start;
        if (keep) {
            const Row k = row_at(&keeps, y), l = row_at(&levels, y);
            for (int32_t x = 0; x < width; x++)
                to[x] = to_short(lift(from[x], (float)from[x] * at(k, x) + at(l, x), at(g, x), c));
        } else {
            for (int32_t x = 0; x < width; x++) to[x] = to_short(lift(from[x], (float)from[x] * at(g, x), at(g, x), c));
        }
    }
    free(room);
    return 0;
}

EXPORT int blend_and_lift_color(const int16_t *before, const Plane *now, const Map *share, int16_t *memory,
                                const Map *gain, int16_t *lifted, int32_t width, int32_t height) {
    const int64_t size = room_for(width);
    float *room = malloc(sizeof(float) * (size_t)size * 5);
    if (!room) return 1;
    Strip shares = strip_of(share, room + size, width, height), gains = strip_of(gain, room + 3 * size, width, height);
    for (int32_t y = 0; y < height; y++) {
        const int64_t start = (int64_t)y * width;
        read_row(now, y, width, room);
        blend_row(before + start, room, &shares, y, width, memory + start);
        if (!gain) continue;
        const Row g = row_at(&gains, y);
        const int16_t *restrict from = memory + start;
        int16_t *restrict to = lifted + start;
        for (int32_t x = 0; x < width; x++) to[x] = to_short((float)from[x] * at(g, x));
    }
    free(room);
    return 0;
}

/* Sums over `rows` rows each of bytes. */
EXPORT int sum_rows(const uint8_t *samples, int64_t stride, int32_t rows, uint16_t *sums, int32_t width, int32_t height) {
    for (int32_t y = 0; y < height; y++) {
        uint16_t *restrict to = sums + (int64_t)y * width;
        for (int32_t x = 0; x < width; x++) to[x] = 0;
        for (int32_t row = 0; row < rows; row++) {
            const uint8_t *restrict from = samples + ((int64_t)y * rows + row) * stride;
            for (int32_t x = 0; x < width; x++) to[x] = (uint16_t)(to[x] + from[x]);
        }
    }
    return 0;
}
