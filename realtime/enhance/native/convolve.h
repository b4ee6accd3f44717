/* A convolution of 3x3 with 16 outputs for vectors of `WIDTH` numbers, called `CONVOLVE`: `network.c` includes it for each
 * kind of processor.
 *
 * `input` has a border; `weights` are (3, 3, channels, 16), and `width` and `height` those of the output, whose rows are
 * `output_row` numbers apart. What is less than `least` becomes that.
 */
#define JOINED(name, width) name##width
#define NAMED(name, width) JOINED(name, width)
#define LANES NAMED(Lanes, WIDTH)
#define PIXELS_OF NAMED(pixels_of_, WIDTH)

typedef float LANES __attribute__((vector_size(WIDTH * 4), aligned(4)));

/* `count` pixels beside each other, a constant. The three pixels under a row of the kernel lie one behind the other. */
INLINE void PIXELS_OF(const float *input, int64_t row, int32_t channels, int32_t step, const float *weights,
                      const float *bias, float least, int count, float *output) {
    for (int lane = 0; lane < OUTPUTS; lane += WIDTH) {
        LANES sums[PIXELS];
        const float *next = weights + lane;
        for (int pixel = 0; pixel < count; pixel++) sums[pixel] = *(const LANES *)(bias + lane);
        for (int y = 0; y < 3; y++)
            for (int32_t tap = 0; tap < 3 * channels; tap++, next += OUTPUTS)
                for (int pixel = 0; pixel < count; pixel++)
                    sums[pixel] += input[y * row + (int64_t)pixel * step * channels + tap] * *(const LANES *)next;
        for (int pixel = 0; pixel < count; pixel++)
            for (int index = 0; index < WIDTH; index++)
                output[pixel * OUTPUTS + lane + index] = max(sums[pixel][index], least);
    }
}

TARGET static int CONVOLVE(const float *input, int32_t input_row, int32_t channels, int32_t step, const float *weights,
                           const float *bias, float least, float *output, int32_t output_row, int32_t width,
                           int32_t height) {
    for (int32_t y = 0; y < height; y++) {
        const float *from = input + (int64_t)y * step * input_row;
        float *to = output + (int64_t)y * output_row;
        int32_t x = 0;
        for (; x + PIXELS <= width; x += PIXELS, from += PIXELS * step * channels, to += PIXELS * OUTPUTS)
            PIXELS_OF(from, input_row, channels, step, weights, bias, least, PIXELS, to);
        for (; x < width; x++, from += step * channels, to += OUTPUTS)
            PIXELS_OF(from, input_row, channels, step, weights, bias, least, 1, to);
    }
    return 0;
}

#undef JOINED
#undef NAMED
#undef LANES
#undef PIXELS_OF
#undef CONVOLVE
#undef WIDTH
#undef TARGET
