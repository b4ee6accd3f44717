/* The layers of the fast engine's student. */
#include "rows.h"

#define OUTPUTS 16
/* Pixels whose sums are kept in registers together. */
#define PIXELS 8

#define CONVOLVE convolve_4
#define WIDTH 4
#define TARGET
#include "convolve.h"

#if defined(VERSIONS)
#define CONVOLVE convolve_8
#define WIDTH 8
#define TARGET __attribute__((target("arch=x86-64-v3")))
#include "convolve.h"

#define CONVOLVE convolve_16
#define WIDTH 16
#define TARGET __attribute__((target("arch=x86-64-v4")))
#include "convolve.h"
#endif

/* A checksum of these files: what was compiled of others is not used. */
const uint32_t sources = SOURCES;

int convolve(const float *input, int32_t input_row, int32_t channels, int32_t step, const float *weights, const float *bias,
             float least, float *output, int32_t output_row, int32_t width, int32_t height) {
    int (*way)(const float *, int32_t, int32_t, int32_t, const float *, const float *, float, float *, int32_t, int32_t,
               int32_t) = convolve_4;
#if defined(VERSIONS)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) way = convolve_8;
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        way = convolve_16;
#endif
    return way(input, input_row, channels, step, weights, bias, least, output, output_row, width, height);
}
