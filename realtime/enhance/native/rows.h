/* What all passes share: rows of maps, and numbers.
 *
 * A map is a small picture over a plane, enlarged bilinearly with half-pixel centers. A row of it is enlarged when it is
 * reached, into room that stays in the cache, and serves all rows of the plane beside it.
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>
#include <stdlib.h>

/* The widest instructions of the processor are chosen when the library is loaded. Clang hides such functions. */
#if defined(VERSIONS) && !defined(__clang__)
#define EXPORT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EXPORT
#endif
/* What a loop writes it does not read: compilers do not see it where many arrays are at work. */
#if defined(__GNUC__) && !defined(__clang__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    const float *values;
    int32_t width, height;
} Map;

/* A map on its way down a plane: room for two enlarged rows, and which ones they hold. */
typedef struct {
    const Map *map;
    float *room[2];
    int32_t held[2];
    int32_t width, height;
} Strip;

/* What a map says along one row of a plane. */
typedef struct {
    const float *above, *below;
    float weight;
} Row;

INLINE float min(float a, float b) { return a < b ? a : b; }
INLINE float max(float a, float b) { return a > b ? a : b; }
INLINE float size_of(float a) { return a < 0.0f ? -a : a; }

/* To the nearest whole number, halves to the even one, for less than 2^22 either way; without a library call. */
INLINE float rounded(float x) { return (x + 12582912.0f) - 12582912.0f; }
INLINE int16_t to_short(float x) { return (int16_t)(int32_t)rounded(min(max(x, -32768.0f), 32767.0f)); }

/* How many numbers a row's room has: a vector may reach beyond the last one. */
INLINE int64_t room_for(int32_t width) { return (int64_t)width + 16; }

/* `room` for two rows. */
INLINE Strip strip_of(const Map *map, float *room, int32_t width, int32_t height) {
    return (Strip){map, {room, room + room_for(width)}, {-1, -1}, width, height};
}

/* Between the centers of two cells, `side` apart. A constant side makes it a vector or two. */
INLINE void fill_between(const float *restrict values, int32_t cells, int32_t side, float *restrict out) {
    const float step = 1.0f / (float)side;
    for (int32_t x = 0; x < side / 2; x++) out[x] = values[0];
    out += side / 2;
    for (int32_t cell = 0; cell + 1 < cells; cell++, out += side) {
        const float value = values[cell], change = (values[cell + 1] - value) * step;
        const float first = side % 2 ? 0.0f : 0.5f;
        for (int32_t x = 0; x < side; x++) out[x] = value + change * ((float)x + first);
    }
    for (int32_t x = 0; x < side - side / 2; x++) out[x] = values[cells - 1];
}

/* The same for cells that are no whole number of pixels wide, `lanes` or less: what is written too far is mended by the
 * next cell. */
INLINE void fill_from(const float *restrict values, int32_t cells, int32_t width, int32_t lanes, float *restrict out) {
    const float side = (float)width / (float)cells, step = 1.0f / side;
    for (int32_t x = 0; x < width && (float)x < 0.5f * side; x++) out[x] = values[0];
    for (int32_t cell = 0; cell + 1 < cells; cell++) {
        const float center = ((float)cell + 0.5f) * side - 0.5f;
        const int32_t first = (int32_t)max(center + 0.9999f, 0.0f);
        if (first >= width) break;
        const float value = values[cell], change = (values[cell + 1] - value) * step, start = (float)first - center;
        for (int32_t x = 0; x < lanes; x++) out[first + x] = value + change * ((float)x + start);
    }
    const float last = ((float)cells - 0.5f) * side - 0.5f;
    for (int32_t x = (int32_t)max(last + 0.9999f, 0.0f); x < width; x++) out[x] = values[cells - 1];
}

INLINE const float *enlarged(Strip *strip, int32_t row) {
    const Map *map = strip->map;
    const float *values = map->values + (int64_t)row * map->width;
    if (map->width == strip->width) return values;
    float *out = strip->room[row & 1];
    if (strip->held[row & 1] == row) return out;
    strip->held[row & 1] = row;
    const int32_t width = strip->width, cells = map->width, side = width / cells;
    if (width % cells) {
        if (side < 8) fill_from(values, cells, width, 8, out);
        else if (side < 16) fill_from(values, cells, width, 16, out);
        else fill_from(values, cells, width, side + 1, out);
    }
    else if (side == 2) fill_between(values, cells, 2, out);
    else if (side == 4) fill_between(values, cells, 4, out);
    else if (side == 8) fill_between(values, cells, 8, out);
    else if (side == 16) fill_between(values, cells, 16, out);
    else fill_between(values, cells, side, out);
    return out;
}

INLINE Row row_at(Strip *strip, int32_t y) {
    const int32_t last = strip->map->height - 1;
    const float place = ((float)y + 0.5f) * (float)strip->map->height / (float)strip->height - 0.5f;
    const float inside = min(max(place, 0.0f), (float)last);
    const int32_t top = (int32_t)inside;
    return (Row){enlarged(strip, top), enlarged(strip, top < last ? top + 1 : top), inside - (float)top};
}

INLINE float at(Row row, int32_t x) { return row.above[x] + row.weight * (row.below[x] - row.above[x]); }

#endif
