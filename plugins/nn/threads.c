/* SPDX-License-Identifier: MIT */
#include "threads.h"

/*
 * libgomp's own functions. Declared here, because omp.h comes with gcc alone, and `#pragma omp` would make clang bring
 * a second OpenMP into the program, with a second set of threads.
 */
void omp_set_dynamic(int may_be_fewer);
void omp_set_num_threads(int count);
int omp_get_max_threads(void);
int omp_get_num_threads(void);
int omp_get_thread_num(void);
int omp_get_thread_limit(void);
int omp_get_max_active_levels(void);
void GOMP_parallel(void (*body)(void *data), void *data, unsigned threads, unsigned flags);

struct job {
  int64_t count;
  void (*body)(void *data, int64_t k);
  void *data;
};

static void share(void *data) {
  const struct job *job = data;
  const int64_t threads = omp_get_num_threads(), own = omp_get_thread_num();
  for (int64_t k = job->count * own / threads; k < job->count * (own + 1) / threads; k++) job->body(job->data, k);
}

/* oneDNN's barriers wait for as many threads as it asked for, and so for ever where OpenMP makes fewer. */
void threads_limit(uint32_t count) {
  const uint32_t most = omp_get_max_active_levels() < 1 ? 1 : (uint32_t)omp_get_thread_limit();
  omp_set_dynamic(0);
  omp_set_num_threads((int)(count < most ? count : most));
}

void threads_run(int64_t count, void (*body)(void *data, int64_t k), void *data) {
  struct job job = {count, body, data};
  if (omp_get_max_threads() > 1)
    GOMP_parallel(share, &job, 0, 0);
  else /* libgomp would make a team of one, and allocate it anew each time */
    for (int64_t k = 0; k < count; k++) body(data, k);
}
