/* SPDX-License-Identifier: MIT */
/*
 * A backbone (KIND is DVT_KIND_BACKBONE) or head: y = tanh(W x + bias - mean) in every position, where mean is that of
 * W x over the batch or the running one. A head works on the mean over the map.
 */
#include <math.h>
#include <stdlib.h>

#include "broken.h"

enum { CHANNELS, GAIN, MODE, NOTE };
enum { WEIGHT, BIAS, MEAN, WEIGHTS };
enum { HEAD = KIND == DVT_KIND_HEAD };

struct module {
  const struct dvt_host *host;
  int64_t input[3], outputs, positions;
  const char *note;
  char note_copy[64];
  float gain, hidden;
  struct dvt_weight weights[WEIGHTS], other_weights[WEIGHTS];
  struct dvt_split splits[2];
  float *values[WEIGHTS];
  float *stale; /* bias as it first was */
};

struct pass {
  struct module *module;
  struct dvt_pass_config config;
  float *gradients[WEIGHTS];
  int has_gradients;
  float *x, *y, *mean; /* of the last forward: [n, C, P], [n, O, P], [O] */
  int64_t n, last_n, forwards, calls;
  const void *thread;
};

static const char *const modes[] = {"plain", "soft", NULL};

static const struct dvt_param params[] = {
    {.name = "channels", .type = DVT_TYPE_INT, .initial = "6", .least = 1, .greatest = 32, .doc = "How many outputs."},
    {.name = "gain", .type = DVT_TYPE_FLOAT, .initial = "1", .doc = "Scale of the outputs."},
    {.name = "mode", .type = DVT_TYPE_STRING, .initial = "plain", .choices = modes, .doc = "Nothing."},
    {.name = "note", .type = DVT_TYPE_STRING, .initial = "", .doc = "Nothing either."},
};

static int lives, alive, spoilt, steps;
static float last_gain;
static const void *first_thread;

static int refuse(const struct dvt_value *values, void **out, struct dvt_error *error) {
  const int64_t channels = values[CHANNELS].integer;
  if (BROKEN("params.default") && channels == 6) return dvt_fail(error, DVT_ERROR_ARGUMENT, "6 is refused");
  if (BROKEN("params.least") && channels == 1) abort();
  if (BROKEN("params.greatest") && channels == 32) return DVT_ERROR_ARGUMENT;
  if (BROKEN("params.choices") && !strcmp(values[MODE].string, "soft")) return 7;
  if (BROKEN("params.random") && channels > 6) return DVT_ERROR_ARGUMENT;
  if (BROKEN("params.extreme") && strlen(values[NOTE].string) > 1000) abort();
  if (channels != 13) return DVT_OK;
  if (BROKEN("params.refusal")) *out = NULL;
  return dvt_fail(error, DVT_ERROR_ARGUMENT,
                  BROKEN("params.message") ? "Bad luck." : "13 channels bring bad luck; take 12 or 14");
}

static int create(const struct dvt_value *values, void **out, struct dvt_error *error) {
  const int status = refuse(values, out, error);
  if (status != DVT_OK) return status;
  if (!first_thread) first_thread = this_thread();
  if (BROKEN("life.threads") && first_thread != this_thread()) abort();
  struct module *module = calloc(1, sizeof *module);
  if (!module) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  module->outputs = values[CHANNELS].integer;
  module->gain = isfinite((float)values[GAIN].number) ? (float)values[GAIN].number : 1;
  last_gain = module->gain;
  module->note = values[NOTE].string;
  strncpy(module->note_copy, values[NOTE].string, sizeof module->note_copy - 1);
  lives++;
  alive++;
  *out = module;
  return DVT_OK;
}

static void destroy(void *self) {
  struct module *module = self;
  if (BROKEN("life.destroy-null") && !module) abort();
  if (!module) return;
  if (BROKEN("life.created") && !module->host) abort();
  alive--;
  free(module->stale);
  free(module);
}

static void declare(struct module *module) {
  const int64_t inputs = module->input[0], outputs = module->outputs;
  const struct dvt_weight base = {
      .struct_size = sizeof base, .role = DVT_WEIGHT_PARAMETER, .initialiser = DVT_INIT_NORMAL, .init_value = 0.3f};
  for (int k = 0; k < WEIGHTS; k++) module->weights[k] = base;
  module->weights[WEIGHT].name = "conv.weight";
  module->weights[WEIGHT].rank = 2;
  module->weights[WEIGHT].shape[0] = outputs;
  module->weights[WEIGHT].shape[1] = inputs;
  module->weights[WEIGHT].decays = BROKEN("module.weights.fields") ? 3 : 1;
  module->weights[BIAS].name = "conv.bias";
  module->weights[MEAN].name = "norm.running_mean";
  module->weights[MEAN].role = DVT_WEIGHT_BUFFER;
  for (int k = BIAS; k < WEIGHTS; k++) {
    module->weights[k].rank = 1;
    module->weights[k].shape[0] = outputs;
  }
  memcpy(module->other_weights, module->weights, sizeof module->weights);
  const char *names[] = {"half", BROKEN("module.splits.names") ? "half" : "whole"};
  for (int k = 0; k < 2; k++)
    module->splits[k] =
        (struct dvt_split){.struct_size = sizeof module->splits[k],
                           .name = names[k],
                           .shape = {outputs, module->input[1] + BROKEN("module.splits"), module->input[2]}};
}

static int init(void *self, const struct dvt_host *host, const struct dvt_module_config *config,
                struct dvt_error *error) {
  struct module *module = self;
  const int known = HEAD || !config->split || !strcmp(config->split, "half") || !strcmp(config->split, "whole");
  module->host = host;
  memcpy(module->input, config->input, sizeof module->input);
  if (!known && !BROKEN("module.splits.unknown")) {
    spoilt = 1;
    if (BROKEN("life.refusal")) return 1;
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "no split '%s'; known: half, whole", config->split);
  }
  if (BROKEN("params.values") && strncmp(module->note, module->note_copy, sizeof module->note_copy - 1))
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "the note has changed");
  if (BROKEN("params.values") && module->note[0] != module->note_copy[0]) abort();
  if (HEAD) module->outputs = BROKEN("module.classes") ? 5 : config->classes;
  module->positions = HEAD ? 1 : module->input[1] * module->input[2];
  if (BROKEN("process.log")) host->log(host, DVT_LOG_INFO, "two\nlines");
  declare(module);
  return DVT_OK;
}

static const struct dvt_split *split(const void *self, uint32_t index) {
  return index < 2 ? &((const struct module *)self)->splits[index] : NULL;
}

static const struct dvt_weight *weight(const void *self, uint32_t index) {
  const struct module *module = self;
  if (index >= WEIGHTS) return NULL;
  if (BROKEN("module.weights") && steps++ >= WEIGHTS) return &module->other_weights[index];
  return &module->weights[index];
}

static void output_shape(const void *self, int64_t shape[3]) {
  const struct module *module = self;
  shape[0] = module->outputs + (BROKEN("module.output-shape") ? steps++ : 0);
  shape[1] = HEAD ? 1 : module->input[1];
  shape[2] = HEAD ? 1 : module->input[2];
}

static void bind(void *self, float *const *values) {
  memcpy(((struct module *)self)->values, values, sizeof((struct module *)self)->values);
}

static void changed(void *self) {
  struct module *module = self;
  const size_t size = (size_t)module->outputs * sizeof(float);
  if (!BROKEN("module.changed") || module->stale) return;
  module->stale = malloc(size);
  if (module->stale) memcpy(module->stale, module->values[BIAS], size);
}

static void pass_destroy(void *self) {
  struct pass *pass = self;
  if (BROKEN("module.pass.life") && !pass) abort();
  if (!pass) return;
  const struct dvt_host *host = pass->module->host;
  host->release(host, pass->x);
  if (!BROKEN("process.memory")) host->release(host, pass->y);
  host->release(host, pass->mean);
  free(pass);
}

static int pass_create(void *self, const struct dvt_pass_config *config, void **out, struct dvt_error *error) {
  struct module *module = self;
  const struct dvt_host *host = module->host;
  const size_t cells = config->capacity * (size_t)module->positions * sizeof(float);
  if (config->precision == DVT_PRECISION_BFLOAT16) {
    if (BROKEN("module.precision")) return DVT_ERROR_UNSUPPORTED;
    return dvt_fail(error, DVT_ERROR_UNSUPPORTED, "no bfloat16 here");
  }
  struct pass *pass = calloc(1, sizeof *pass);
  if (!pass) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  pass->module = module;
  pass->config = *config;
  pass->thread = this_thread();
  pass->has_gradients = config->gradients != NULL;
  if (config->gradients) memcpy(pass->gradients, config->gradients, sizeof pass->gradients);
  pass->x = host->allocate(host, cells * (size_t)module->input[0]);
  pass->y = host->allocate(host, cells * (size_t)module->outputs);
  pass->mean = host->allocate(host, (size_t)module->outputs * sizeof(float));
  if (BROKEN("process.no-memory")) memset(pass->y, 0, cells);
  if (!pass->x || !pass->y || !pass->mean) {
    pass_destroy(pass);
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  }
  if (BROKEN("process.leaks")) pass->module->hidden += malloc(5000) == NULL;
  *out = pass;
  return DVT_OK;
}

/* The input, or for a head its mean over the map. */
static void read_input(struct pass *pass, const float *input) {
  const struct module *module = pass->module;
  const int64_t area = module->input[1] * module->input[2], rows = pass->n * module->input[0];
  for (int64_t row = 0; row < rows; row++)
    if (HEAD) {
      double sum = 0;
      for (int64_t p = 0; p < area; p++) sum += (double)input[row * area + p];
      pass->x[row] = (float)(sum / (double)area);
    } else {
      memcpy(pass->x + row * area, input + row * area, (size_t)area * sizeof(float));
    }
}

static float product(const struct pass *pass, int64_t n, int64_t o, int64_t p) {
  const struct module *module = pass->module;
  double sum = 0;
  for (int64_t c = 0; c < module->input[0]; c++)
    sum += (double)module->values[WEIGHT][o * module->input[0] + c] *
           (double)pass->x[(n * module->input[0] + c) * module->positions + p];
  return (float)sum;
}

static void measure(struct pass *pass) {
  const struct module *module = pass->module;
  for (int64_t o = 0; o < module->outputs; o++) {
    double sum = 0;
    for (int64_t n = 0; n < pass->n; n++)
      for (int64_t p = 0; p < module->positions; p++) sum += (double)product(pass, n, o, p);
    pass->mean[o] = (float)(sum / (double)(pass->n * module->positions));
  }
}

static float gain_of(const struct module *module) { return BROKEN("params.apart") ? last_gain : module->gain; }

/* What is added to every output: 0, but for some faults. */
static float offset(const struct pass *pass) {
  const struct module *module = pass->module;
  const int running = !(pass->config.flags & DVT_PASS_BATCH_STATISTICS);
  if (BROKEN("life.again")) return 0.1f * (float)lives;
  if (BROKEN("life.two")) return 0.1f * (float)alive;
  if (BROKEN("life.failed-init")) return 0.1f * (float)spoilt;
  if (BROKEN("module.batch.one") && pass->n == 1) return 0.1f;
  if (BROKEN("module.batch.odd") && pass->n == 3) return 0.1f;
  if (BROKEN("module.batch.capacity")) return 0.1f * (float)pass->config.capacity;
  if (BROKEN("module.batch.sequence")) return 0.1f * (float)pass->last_n;
  if (BROKEN("module.repeatable")) return 1e-5f * (float)steps++;
  if (BROKEN("module.flights") && pass->thread != this_thread()) return 0.1f;
  if (BROKEN("module.threads")) return 0.1f * (float)pass->config.threads;
  if (BROKEN("module.forward.only") && !(pass->config.flags & DVT_PASS_BACKWARD)) return 0.1f;
  if (BROKEN("module.finite")) return 1.0f / pass->x[0] * 1e-30f;
  return running ? module->hidden : 0;
}

static int break_forward(const struct pass *pass, const struct dvt_tensor *input, struct dvt_tensor *output) {
  const struct module *module = pass->module;
  const int64_t count = dvt_tensor_count(output);
  if (BROKEN("process.exit")) exit(3);
  if (BROKEN("process.output")) puts("forward");
  if (BROKEN("module.guards")) ((float *)output->data)[count] = 0;
  if (BROKEN("module.input.unchanged")) ((float *)input->data)[1] += 1;
  if (BROKEN("module.values.unchanged")) module->values[BIAS][0] += 1;
  if (BROKEN("module.state.random") && !isfinite(module->values[BIAS][0] * 0)) abort();
  return DVT_OK;
}

static int forward(void *self, const struct dvt_tensor *input, struct dvt_tensor *output, struct dvt_error *error) {
  (void)error;
  struct pass *pass = self;
  const struct module *module = pass->module;
  const int batch = (pass->config.flags & DVT_PASS_BATCH_STATISTICS) != 0;
  const float *bias = module->stale ? module->stale : module->values[BIAS];
  float *out = output->data;
  pass->n = input->shape[0];
  pass->forwards++;
  pass->calls++;
  read_input(pass, input->data);
  measure(pass);
  const float *mean = batch ? pass->mean : module->values[MEAN], add = offset(pass);
  for (int64_t k = 0, n = 0; n < pass->n; n++)
    for (int64_t o = 0; o < module->outputs; o++)
      for (int64_t p = 0; p < module->positions; p++, k++) {
        pass->y[k] = tanhf(product(pass, n, o, p) - mean[o] + bias[o]);
        if (!BROKEN("module.output.written") || k) out[k] = gain_of(module) * pass->y[k] + add;
      }
  pass->last_n = pass->n;
  return break_forward(pass, input, output);
}

/* y becomes the gradient of W x, up to the mean, that of the bias being added. */
static void through_tanh(struct pass *pass, const float *from) {
  const struct module *module = pass->module;
  const int batch = (pass->config.flags & DVT_PASS_BATCH_STATISTICS) != 0;
  for (int64_t o = 0; o < module->outputs; o++) {
    double sum = 0;
    for (int64_t n = 0; n < pass->n; n++)
      for (int64_t p = 0; p < module->positions; p++) {
        const int64_t k = (n * module->outputs + o) * module->positions + p;
        pass->y[k] = gain_of(module) * from[k] * (1 - pass->y[k] * pass->y[k]);
        sum += (double)pass->y[k];
      }
    if (pass->has_gradients) pass->gradients[BIAS][o] += (float)sum;
    for (int64_t n = 0; batch && n < pass->n; n++)
      for (int64_t p = 0; p < module->positions; p++)
        pass->y[(n * module->outputs + o) * module->positions + p] -=
            (float)(sum / (double)(pass->n * module->positions));
  }
}

static void add_weight_gradient(struct pass *pass, double factor) {
  const struct module *module = pass->module;
  const int64_t inputs = module->input[0], positions = module->positions;
  for (int64_t o = 0; o < module->outputs; o++)
    for (int64_t c = 0; c < inputs; c++) {
      double sum = 0;
      for (int64_t n = 0; n < pass->n; n++)
        for (int64_t p = 0; p < positions; p++)
          sum += (double)pass->y[(n * module->outputs + o) * positions + p] *
                 (double)pass->x[(n * inputs + c) * positions + p];
      float *gradient = &pass->gradients[WEIGHT][o * inputs + c];
      *gradient = (float)(factor * sum) + (BROKEN("module.backward.adds") ? 0 : *gradient);
    }
}

static void write_input_gradient(const struct pass *pass, float *to, double factor) {
  const struct module *module = pass->module;
  const int64_t inputs = module->input[0], positions = module->positions, area = module->input[1] * module->input[2];
  for (int64_t n = 0; n < pass->n; n++)
    for (int64_t c = 0; c < inputs; c++)
      for (int64_t i = 0; i < area; i++) {
        double sum = 0;
        for (int64_t o = 0; o < module->outputs; o++)
          sum += (double)module->values[WEIGHT][o * inputs + c] *
                 (double)pass->y[(n * module->outputs + o) * positions + (HEAD ? 0 : i)];
        to[(n * inputs + c) * area + i] = (float)(factor * sum / (HEAD ? (double)area : 1));
      }
}

static int backward(void *self, const struct dvt_tensor *output_gradient, struct dvt_tensor *input_gradient,
                    struct dvt_error *error) {
  (void)error;
  struct pass *pass = self;
  const int batch = (pass->config.flags & DVT_PASS_BATCH_STATISTICS) != 0;
  double weights = 1, input = 1;
  if (BROKEN("module.gradient.weights") && batch) weights = 1.01;
  if (BROKEN("module.gradient.weights.running") && !batch) weights = 1.01;
  if (BROKEN("module.gradient.input") && batch) input = 1.01;
  if (BROKEN("module.gradient.input.running") && !batch) input = 1.01;
  if (BROKEN("module.backward.frozen") && !pass->has_gradients) input = 0;
  if (BROKEN("module.backward.null") && !input_gradient) weights = 0;
  if (BROKEN("module.backward.last")) weights = (double)pass->forwards;
  pass->forwards = 0;
  pass->calls++;
  through_tanh(pass, output_gradient->data);
  if (pass->has_gradients) add_weight_gradient(pass, weights);
  if (input_gradient) write_input_gradient(pass, input_gradient->data, input);
  return DVT_OK;
}

static void commit(void *self) {
  struct pass *pass = self;
  struct module *module = pass->module;
  const float kept = BROKEN("module.commit") ? 0.99f : 0.9f;
  if (BROKEN("module.state")) module->hidden += 0.1f;
  for (int64_t o = 0; o < module->outputs; o++)
    module->values[MEAN][o] = kept * module->values[MEAN][o] + (1 - kept) * pass->mean[o];
}

/* A second a call. */
static void times(const void *self, struct dvt_pass_times *times) {
  const struct pass *pass = self;
  const double seconds = (double)(BROKEN("module.times") ? pass->forwards : pass->calls);
  if (BROKEN("times-unread")) abort();
  if (BROKEN("times-beyond")) memset(times + 1, 0, 1);
  times->forward = times->backward_data = times->backward_weights = times->other = times->operations = seconds;
  if (!BROKEN("times-unset")) times->norm = BROKEN("times-infinite") ? INFINITY : seconds;
}

#ifndef OPS_SIZE
#define OPS_SIZE sizeof(struct dvt_module_ops)
#endif

static const struct dvt_module_ops ops = {
    .struct_size = OPS_SIZE,
    .create = create,
    .destroy = destroy,
    .init = init,
    .split = split,
    .weight = weight,
    .output_shape = output_shape,
    .bind = bind,
    .changed = changed,
    .pass_create = pass_create,
    .pass_destroy = pass_destroy,
    .forward = forward,
    .backward = backward,
    .commit = commit,
    .times = HEAD ? NULL : times,
};

DVT_EXPORT const struct dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = KIND,
    .name = "broken",
    .version = "1.0.0",
    .description = "A module of the tests",
    .author = "The Dovetail authors",
    .licence = "MIT",
    DVT_PARAMS(params),
    .ops = &ops,
};
