/* SPDX-License-Identifier: MIT */
#include "bench/peak.h"

#include <math.h>

/* The loops keep this many sums, so that none waits for the one before it. */
enum { SUMS = 12 };

/* A loop over so many rounds; returns the operations that it made. */
typedef double (*loop)(guint64 rounds);

static volatile float sink; /* or the compiler would see that nobody wants the sums */

/* first: of sum k, no two the same, or one would do for all; one: a lane of sums[0]. */
#define RUN(rounds, lanes, operations, first, next, one)                                                               \
  _Pragma("GCC unroll 12") for (int k = 0; k < SUMS; k++) sums[k] = first;                                             \
  for (guint64 round = 0; round < (rounds); round++)                                                                   \
    _Pragma("GCC unroll 12") for (int k = 0; k < SUMS; k++) sums[k] = next;                                            \
  _Pragma("GCC unroll 12") for (int k = 1; k < SUMS; k++) sums[0] += sums[k];                                          \
  sink = one;                                                                                                          \
  return SUMS * (double)(rounds) * (lanes) * (operations)

static double float32_any(guint64 rounds) {
  typedef float vector __attribute__((vector_size(16)));
  const vector factor = {0.5f, 0.5f, 0.5f, 0.5f}, term = {1, 1, 1, 1};
  vector sums[SUMS];
  RUN(rounds, 4, 2, term * (float)k, sums[k] * factor + term, sums[0][0]);
}

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2,fma"))) static double float32_avx2(guint64 rounds) {
  const __m256 factor = _mm256_set1_ps(0.5f), term = _mm256_set1_ps(1);
  __m256 sums[SUMS];
  RUN(rounds, 8, 2, _mm256_set1_ps((float)k), _mm256_fmadd_ps(sums[k], factor, term), _mm256_cvtss_f32(sums[0]));
}

__attribute__((target("avx512f"))) static double float32_avx512(guint64 rounds) {
  const __m512 factor = _mm512_set1_ps(0.5f), term = _mm512_set1_ps(1);
  __m512 sums[SUMS];
  RUN(rounds, 16, 2, _mm512_set1_ps((float)k), _mm512_fmadd_ps(sums[k], factor, term), _mm512_cvtss_f32(sums[0]));
}

/* Each lane of the sums takes two products at once. */
__attribute__((target("avx512bf16,avx512f,avx512vl"))) static double bfloat16_avx512(guint64 rounds) {
  const __m512 small = _mm512_set1_ps(0x1p-20f);
  const __m512bh factor = _mm512_cvtne2ps_pbh(small, small);
  __m512 sums[SUMS];
  RUN(rounds, 16, 4, _mm512_set1_ps((float)k), _mm512_dpbf16_ps(sums[k], factor, factor), _mm512_cvtss_f32(sums[0]));
}

static loop float32_kernel(void) {
  if (__builtin_cpu_supports("avx512f")) return float32_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return float32_avx2;
  return float32_any;
}

static loop bfloat16_kernel(void) {
  const gboolean has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl");
  return has ? bfloat16_avx512 : NULL;
}
#else
static loop float32_kernel(void) { return float32_any; }
static loop bfloat16_kernel(void) { return NULL; }
#endif

struct runner {
  loop kernel;
  gint64 until; /* of the monotonic clock */
  double operations;
};

static gpointer run(gpointer data) {
  struct runner *runner = data;
  const guint64 rounds = 100000; /* well below a millisecond */
  do runner->operations += runner->kernel(rounds);
  while (g_get_monotonic_time() < runner->until);
  return NULL;
}

static double measure(loop kernel, guint threads) {
  const gint64 length = G_TIME_SPAN_SECOND / 10, start = g_get_monotonic_time();
  g_autofree struct runner *runners = g_new0(struct runner, threads);
  g_autofree GThread **running = g_new(GThread *, threads);
  double operations = 0;
  for (guint k = 0; k < threads; k++) {
    runners[k] = (struct runner){.kernel = kernel, .until = start + length};
    running[k] = g_thread_new("peak", run, &runners[k]);
  }
  for (guint k = 0; k < threads; k++) {
    g_thread_join(running[k]);
    operations += runners[k].operations;
  }
  return operations / ((double)(g_get_monotonic_time() - start) / G_TIME_SPAN_SECOND);
}

static double best(loop kernel, guint threads) {
  const int trials = 3; /* the first one wakes the processor up */
  double most = 0;
  for (int k = 0; k < trials; k++) most = MAX(most, measure(kernel, threads));
  return most;
}

double peak_float32(guint threads) { return best(float32_kernel(), threads); }

double peak_bfloat16(guint threads) {
  const loop kernel = bfloat16_kernel();
  return kernel ? best(kernel, threads) : NAN;
}
