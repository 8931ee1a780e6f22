// An add layer and its gradients as plain loops, the pixel innermost, for comparison with Dovetail's kernels.
// gcc -O3 -march=native -ffast-math -fopenmp; answers a line of JSON to each line "step" or "memory".
// Images are padded and, with stride 2, split into their even and odd rows and columns, so that every inner loop runs over
// neighbours in memory; a plane of results stays in the cache while all its terms are added.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// Four filters take part in each inner loop, so that what they share is loaded once.
enum { batch = 128, kernel = 3, filters = 4 };

typedef struct {
  int channels, size, outputs, stride, count;
} Layer;

// The 18 convolutions of ResNet-20's blocks, and how often each shape comes.
static const Layer layers[] = {{16, 32, 16, 1, 6}, {16, 32, 32, 2, 1}, {32, 16, 32, 1, 5}, {32, 16, 64, 2, 1}, {64, 8, 64, 1, 5}};

static int phaseSize(Layer l) { return (l.size + 2 + l.stride - 1) / l.stride; }
static size_t planeOf(Layer l) { return (size_t)phaseSize(l) * phaseSize(l); }
static size_t imageOf(Layer l) { return planeOf(l) * l.stride * l.stride * l.channels; }

// Where kernel position (r, s) of channel c begins in an image that `split` made.
static size_t tapOf(Layer l, int c, int r, int s) {
  int phase = (r % l.stride) * l.stride + s % l.stride;
  return (c * (size_t)(l.stride * l.stride) + phase) * planeOf(l) + (size_t)(r / l.stride) * phaseSize(l) + s / l.stride;
}

static void split(Layer l, const float *x, float *to) {
  memset(to, 0, imageOf(l) * sizeof(float));
  for (int c = 0; c < l.channels; c++)
    for (int row = 0; row < l.size; row++)
      for (int r = 0; r < l.stride; r++) {
        // Column q of the image is column q + 1 of the padded one.
        int begin = (r + l.stride - 1) % l.stride;
        float *target = to + tapOf(l, c, (row + 1) % l.stride, (begin + 1) % l.stride) + (size_t)((row + 1) / l.stride) * phaseSize(l) + (begin + 1) / l.stride;
        const float *source = x + ((size_t)c * l.size + row) * l.size + begin;
        for (int q = 0; q < (l.size - begin + l.stride - 1) / l.stride; q++) target[q] = source[q * l.stride];
      }
}

static void join(Layer l, const float *from, float *x) {
  for (int c = 0; c < l.channels; c++)
    for (int row = 0; row < l.size; row++)
      for (int r = 0; r < l.stride; r++) {
        int begin = (r + l.stride - 1) % l.stride;
        const float *source = from + tapOf(l, c, (row + 1) % l.stride, (begin + 1) % l.stride) + (size_t)((row + 1) / l.stride) * phaseSize(l) + (begin + 1) / l.stride;
        float *target = x + ((size_t)c * l.size + row) * l.size + begin;
        for (int q = 0; q < (l.size - begin + l.stride - 1) / l.stride; q++) target[q * l.stride] = source[q];
      }
}

// Rows of `out` values with the pitch of a phase and zeros between, so that one loop runs over all rows.
static void spread(Layer l, const float *rows, float *to) {
  int out = l.size / l.stride, phase = phaseSize(l);
  memset(to, 0, (size_t)out * phase * sizeof(float));
  for (int p = 0; p < out; p++) memcpy(to + (size_t)p * phase, rows + (size_t)p * out, out * sizeof(float));
}

// From the first to the last value of a result with that pitch.
static int runOf(Layer l) {
  int out = l.size / l.stride;
  return (out - 1) * phaseSize(l) + out;
}

// Weight (o, c, r, s), and how far the next filter's is.
static size_t weightOf(Layer l, int o, int c, int r, int s) { return (((size_t)o * l.channels + c) * kernel + r) * kernel + s; }
static size_t filterOf(Layer l) { return (size_t)l.channels * kernel * kernel; }

static void forward(Layer l, const float *x, const float *w, float *y) {
  int out = l.size / l.stride, run = runOf(l);
  size_t phase = phaseSize(l), plane = planeOf(l);
#pragma omp parallel for schedule(dynamic)
  for (int n = 0; n < batch; n++) {
    float *image = malloc(imageOf(l) * sizeof(float)), *sums = malloc(filters * plane * sizeof(float));
    split(l, x + (size_t)n * l.channels * l.size * l.size, image);
    for (int o = 0; o < l.outputs; o += filters) {
      memset(sums, 0, filters * plane * sizeof(float));
      float *restrict s0 = sums, *restrict s1 = s0 + plane, *restrict s2 = s1 + plane, *restrict s3 = s2 + plane;
      for (int c = 0; c < l.channels; c++)
        for (int r = 0; r < kernel; r++)
          for (int s = 0; s < kernel; s++) {
            const float *restrict source = image + tapOf(l, c, r, s), *of = w + weightOf(l, o, c, r, s);
            float w0 = of[0], w1 = of[filterOf(l)], w2 = of[2 * filterOf(l)], w3 = of[3 * filterOf(l)];
            for (int i = 0; i < run; i++) {
              s0[i] -= fabsf(source[i] - w0);
              s1[i] -= fabsf(source[i] - w1);
              s2[i] -= fabsf(source[i] - w2);
              s3[i] -= fabsf(source[i] - w3);
            }
          }
      float *target = y + ((size_t)n * l.outputs + o) * out * out;
      for (int f = 0; f < filters; f++)
        for (int p = 0; p < out; p++) memcpy(target + ((size_t)f * out + p) * out, sums + f * plane + p * phase, out * sizeof(float));
    }
    free(image);
    free(sums);
  }
}

static void inputGradient(Layer l, const float *dy, const float *x, const float *w, float *dx) {
  int out = l.size / l.stride, run = runOf(l);
  size_t plane = planeOf(l);
#pragma omp parallel for schedule(dynamic)
  for (int n = 0; n < batch; n++) {
    float *image = malloc(imageOf(l) * sizeof(float)), *sums = calloc(imageOf(l), sizeof(float));
    float *gradients = malloc(l.outputs * plane * sizeof(float));
    size_t at = (size_t)n * l.channels * l.size * l.size;
    split(l, x + at, image);
    for (int o = 0; o < l.outputs; o++) spread(l, dy + ((size_t)n * l.outputs + o) * out * out, gradients + o * plane);
    for (int c = 0; c < l.channels; c++)
      for (int o = 0; o < l.outputs; o += filters)
        for (int r = 0; r < kernel; r++)
          for (int s = 0; s < kernel; s++) {
            const float *of = w + weightOf(l, o, c, r, s);
            float w0 = of[0], w1 = of[filterOf(l)], w2 = of[2 * filterOf(l)], w3 = of[3 * filterOf(l)];
            const float *restrict source = image + tapOf(l, c, r, s);
            const float *restrict g0 = gradients + o * plane, *restrict g1 = g0 + plane, *restrict g2 = g1 + plane, *restrict g3 = g2 + plane;
            float *restrict sum = sums + tapOf(l, c, r, s);
            for (int i = 0; i < run; i++)
              sum[i] += g0[i] * fminf(1, fmaxf(-1, w0 - source[i])) + g1[i] * fminf(1, fmaxf(-1, w1 - source[i])) +
                        g2[i] * fminf(1, fmaxf(-1, w2 - source[i])) + g3[i] * fminf(1, fmaxf(-1, w3 - source[i]));
          }
    join(l, sums, dx + at);
    free(image);
    free(sums);
    free(gradients);
  }
}

static void weightGradient(Layer l, const float *dy, const float *x, const float *w, float *dw) {
  int out = l.size / l.stride, run = runOf(l);
  size_t plane = planeOf(l), count = l.outputs * filterOf(l);
  memset(dw, 0, count * sizeof(float));
#pragma omp parallel
  {
    float *image = malloc(imageOf(l) * sizeof(float)), *own = calloc(count, sizeof(float));
    float *gradients = malloc(filters * plane * sizeof(float));
#pragma omp for schedule(static)
    for (int n = 0; n < batch; n++) {
      split(l, x + (size_t)n * l.channels * l.size * l.size, image);
      for (int o = 0; o < l.outputs; o += filters) {
        for (int f = 0; f < filters; f++) spread(l, dy + ((size_t)n * l.outputs + o + f) * out * out, gradients + f * plane);
        const float *restrict g0 = gradients, *restrict g1 = g0 + plane, *restrict g2 = g1 + plane, *restrict g3 = g2 + plane;
        for (int c = 0; c < l.channels; c++)
          for (int r = 0; r < kernel; r++)
            for (int s = 0; s < kernel; s++) {
              const float *restrict source = image + tapOf(l, c, r, s), *of = w + weightOf(l, o, c, r, s);
              float w0 = of[0], w1 = of[filterOf(l)], w2 = of[2 * filterOf(l)], w3 = of[3 * filterOf(l)];
              float d0 = 0, d1 = 0, d2 = 0, d3 = 0;
              for (int i = 0; i < run; i++) {
                d0 += g0[i] * (source[i] - w0);
                d1 += g1[i] * (source[i] - w1);
                d2 += g2[i] * (source[i] - w2);
                d3 += g3[i] * (source[i] - w3);
              }
              float *to = own + weightOf(l, o, c, r, s);
              to[0] += d0, to[filterOf(l)] += d1, to[2 * filterOf(l)] += d2, to[3 * filterOf(l)] += d3;
            }
      }
    }
#pragma omp critical
    for (size_t i = 0; i < count; i++) dw[i] += own[i];
    free(image);
    free(own);
    free(gradients);
  }
}

static double clockOf(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static unsigned long long state = 1;
// Roughly normal: the sum of 12 uniform numbers.
static float draw(void) {
  float sum = -6;
  for (int i = 0; i < 12; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    sum += (state >> 40) / 16777216.0f;
  }
  return sum;
}
static float *drawn(size_t count) {
  float *values = malloc(count * sizeof(float));
  for (size_t i = 0; i < count; i++) values[i] = draw();
  return values;
}

// The products of a small case, for the check against ours: values come on standard input, results go out.
static int check(void) {
  Layer l;
  if (scanf("%d %d %d %d", &l.channels, &l.size, &l.outputs, &l.stride) != 4) return 1;
  int out = l.size / l.stride;
  size_t nx = (size_t)batch * l.channels * l.size * l.size, ny = (size_t)batch * l.outputs * out * out, nw = (size_t)l.outputs * l.channels * 9;
  float *x = malloc(4 * nx), *w = malloc(4 * nw), *dy = malloc(4 * ny), *y = malloc(4 * ny), *dx = malloc(4 * nx), *dw = malloc(4 * nw);
  for (size_t i = 0; i < nx; i++) if (scanf("%f", x + i) != 1) return 1;
  for (size_t i = 0; i < nw; i++) if (scanf("%f", w + i) != 1) return 1;
  for (size_t i = 0; i < ny; i++) if (scanf("%f", dy + i) != 1) return 1;
  forward(l, x, w, y);
  inputGradient(l, dy, x, w, dx);
  weightGradient(l, dy, x, w, dw);
  for (size_t i = 0; i < ny; i++) printf("%.9g\n", y[i]);
  for (size_t i = 0; i < nx; i++) printf("%.9g\n", dx[i]);
  for (size_t i = 0; i < nw; i++) printf("%.9g\n", dw[i]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "check") == 0) return check();
  if (argc > 1) omp_set_num_threads(atoi(argv[1]));
  const int n = sizeof layers / sizeof *layers;
  float *x[8], *w[8], *dy[8], *y[8], *dx[8], *dw[8];
  for (int i = 0; i < n; i++) {
    Layer l = layers[i];
    int out = l.size / l.stride;
    size_t nx = (size_t)batch * l.channels * l.size * l.size, ny = (size_t)batch * l.outputs * out * out, nw = (size_t)l.outputs * l.channels * 9;
    x[i] = drawn(nx), w[i] = drawn(nw), dy[i] = drawn(ny), y[i] = malloc(4 * ny), dx[i] = malloc(4 * nx), dw[i] = malloc(4 * nw);
  }
  printf("{\"ready\":true}\n");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strncmp(line, "memory", 6) == 0) {
      struct rusage usage;
      getrusage(RUSAGE_SELF, &usage);
      printf("{\"peakMemoryBytes\":%ld}\n", usage.ru_maxrss * 1024);
    } else {
      double seconds[3] = {0}, cpu[3] = {0};
      for (int i = 0; i < n; i++)
        for (int product = 0; product < 3; product++) {
          double start = clockOf(CLOCK_MONOTONIC), cpuStart = clockOf(CLOCK_PROCESS_CPUTIME_ID);
          if (product == 0) forward(layers[i], x[i], w[i], y[i]);
          if (product == 1) inputGradient(layers[i], dy[i], x[i], w[i], dx[i]);
          if (product == 2) weightGradient(layers[i], dy[i], x[i], w[i], dw[i]);
          seconds[product] += layers[i].count * (clockOf(CLOCK_MONOTONIC) - start);
          cpu[product] += layers[i].count * (clockOf(CLOCK_PROCESS_CPUTIME_ID) - cpuStart);
        }
      printf("{\"seconds\":[%g,%g,%g],\"cpuSeconds\":[%g,%g,%g]}\n", seconds[0], seconds[1], seconds[2], cpu[0], cpu[1], cpu[2]);
    }
    fflush(stdout);
  }
  return 0;
}
