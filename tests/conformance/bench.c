/* The cost of a plugin, as CPU time: loading, each batch, each field. Checks only what the measurement needs.
 *
 * Fields are measured in rounds over the same events, which are copied into the host's memory first, as if read from a capture file.
 * The clock is read before and after a whole round, because reading it costs as much as a field. A round asks each event for some
 * fields. The difference between two rounds is the cost of the further field. The fastest of all rounds counts. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

enum { LATE_EVENTS = 1000, KEPT_EVENTS = 1024, KEPT_BYTES = 4 << 20, FEWEST_ROUNDS = 5, EVENTS_BY_DEFAULT = 10000 };

static const double ROUNDS_SECONDS = 0.1;

struct bench {
  struct plugin* plugin;
  const struct options* options;
  void *state, *instance;
  struct event events[KEPT_EVENTS];
  uint32_t kept;
  uint8_t* memory;
  size_t used;
  uint64_t number;
  uint64_t taken, batches;
  double late_ms[LATE_EVENTS]; /* of the last events, from the time that they bear to their arrival here */
  double batch_seconds, batch_wall_seconds;
  double clock_cost; /* what reading the clock twice shows on it */
};

static int64_t resident_bytes(void) {
  char line[128] = "";
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL || fgets(line, sizeof line, file) == NULL || sscanf(line, "%*s %ld", &pages) != 1) pages = 0;
  if (file != NULL) fclose(file);
  return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* Bytes of this process's memory by the name of a line of smaps_rollup: Pss divides a page by the processes that share it. */
static int64_t memory_bytes(const char* name) {
  char line[256];
  long kilobytes = 0, found;
  FILE* file = fopen("/proc/self/smaps_rollup", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), ": %ld kB", &found) == 1) kilobytes = found;
  }
  if (file != NULL) fclose(file);
  return (int64_t)kilobytes * 1024;
}

static bool fail(struct bench* bench, const char* what) {
  const char* error = bench->state == NULL ? NULL : call_last_error(bench->plugin, bench->state);
  violation("bench: %s failed: %s", what, error == NULL ? "no error text" : error);
  return false;
}

static double clock_cost(void) {
  double least = 1;
  for (int i = 0; i < 100; i++) {
    double start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID), cost = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    if (cost < least) least = cost;
  }
  return least;
}

static bool open_again(struct bench* bench) {
  int32_t rc = RC_FAILURE;
  if (bench->instance != NULL) call_close(bench->plugin, bench->state, bench->instance);
  bench->instance = call_open(bench->plugin, bench->state, bench->options->open[0], &rc);
  return rc == RC_SUCCESS || fail(bench, "open");
}

/* Events for the rounds, blocks as blocks and payloads before 3.0. */
static void keep(struct bench* bench, const struct event* event) {
  bool is_block = event->block != NULL;
  size_t size = is_block ? event->block->length : event->length;
  if (bench->kept == KEPT_EVENTS || bench->used + size > KEPT_BYTES) return;
  uint8_t* place = bench->memory + bench->used;
  memcpy(place, is_block ? (const void*)event->block : event->payload, size);
  bench->used += (size + 15) & ~(size_t)15;
  struct event* kept = &bench->events[bench->kept++];
  *kept = *event;
  kept->block = is_block ? (const struct block_event*)place : NULL;
  kept->payload = is_block ? place + PAYLOAD_OFFSET : place;
}

static struct event event_of(const struct bench* bench, void* events, uint32_t i) {
  if (bench->plugin->major >= 3) {
    const struct block_plugin_event* block = ((struct block_plugin_event**)events)[i];
    return (struct event){.ts = block->header.ts, .payload = block->payload, .length = block->payload_length, .block = &block->header};
  }
  const struct flat_event* flat = &((struct flat_event*)events)[i];
  return (struct event){.ts = flat->ts, .payload = flat->data, .length = flat->length};
}

/* The number that is the payload's last member, as Docker's timeNano is; 0 without one. */
static double sent_seconds(const struct event* event) {
  uint32_t at = event->length;
  if (at == 0 || event->payload[at - 1] != '}') return 0;
  double seconds = 0, unit = 1e-9;
  for (at--; at > 0 && event->payload[at - 1] >= '0' && event->payload[at - 1] <= '9'; at--, unit *= 10)
    seconds += (event->payload[at - 1] - '0') * unit;
  return seconds;
}

static int compare(const void* a, const void* b) {
  double left = *(const double*)a, right = *(const double*)b;
  return (left > right) - (left < right);
}

static void write_latency(struct bench* bench, struct json_out* out) {
  size_t count = bench->taken < LATE_EVENTS ? bench->taken : LATE_EVENTS;
  qsort(bench->late_ms, count, sizeof *bench->late_ms, compare);
  json_double(out, "late_p50_ms", bench->late_ms[count / 2]);
  json_double(out, "late_p99_ms", bench->late_ms[count * 99 / 100]);
}

/* Reads N events, reopening the source at its end; every field of each is extracted once, which adds to the memory. */
static bool read_events(struct bench* bench, uint64_t wanted, const struct request* requests, uint32_t request_count) {
  double until = clock_seconds(CLOCK_MONOTONIC) + bench->options->seconds;
  while (bench->taken < wanted && clock_seconds(CLOCK_MONOTONIC) < until) {
    uint32_t count = 0;
    void* events = NULL;
    double wall = clock_seconds(CLOCK_MONOTONIC), start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    int32_t rc = call_next_batch(bench->plugin, bench->state, bench->instance, &count, &events);
    bench->batch_seconds += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start - bench->clock_cost;
    bench->batch_wall_seconds += clock_seconds(CLOCK_MONOTONIC) - wall;
    bench->batches++;
    if (rc != RC_SUCCESS && rc != RC_TIMEOUT && rc != RC_EOF) return fail(bench, "next_batch");
    double arrived = clock_seconds(CLOCK_REALTIME);
    for (uint32_t i = 0; i < count; i++) {
      struct event event = event_of(bench, events, i);
      bench->late_ms[(bench->taken + i) % LATE_EVENTS] = (arrived - sent_seconds(&event)) * 1e3;
      event.number = ++bench->number;
      keep(bench, &event);
      for (uint32_t field = 0; field < request_count; field++) {
        struct extraction extraction;
        prepare_extraction(bench->plugin, &requests[field], requests[field].field->name, requests[field].arg, &extraction);
        call_extract(bench->plugin, bench->state, &event, &extraction, false);
      }
    }
    bench->taken += count;
    if (rc == RC_EOF && bench->taken < wanted && (bench->taken == 0 || !open_again(bench))) return bench->taken > 0;
  }
  return bench->taken > 0;
}

/* Nanoseconds an event, for these fields. */
static double ask(struct bench* bench, const struct request* const* requests, uint32_t count) {
  double best = 1e9, until = clock_seconds(CLOCK_MONOTONIC) + ROUNDS_SECONDS;
  for (int round = 0; round < FEWEST_ROUNDS || clock_seconds(CLOCK_MONOTONIC) < until; round++) {
    double start = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < bench->kept; i++) {
      bench->events[i].number = ++bench->number;
      for (uint32_t field = 0; field < count; field++) {
        struct extraction extraction;
        prepare_extraction(bench->plugin, requests[field], requests[field]->field->name, requests[field]->arg, &extraction);
        call_extract(bench->plugin, bench->state, &bench->events[i], &extraction, false);
      }
    }
    double took = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    if (took < best) best = took;
  }
  return best / bench->kept * 1e9;
}

static void measure_fields(struct bench* bench, const struct request* requests, uint32_t count, struct json_out* out) {
  const struct request* first = &requests[0];
  ask(bench, &first, 1); /* until caches and the clock of the CPU are warm */
  double first_ns = ask(bench, &first, 1), sum = 0;
  json_open(out, "fields", '{');
  for (uint32_t i = 0; i < count; i++) {
    const struct request *field = &requests[i], *both[] = {first, field};
    double alone = ask(bench, &field, 1), further = ask(bench, both, 2) - first_ns;
    sum += further;
    json_open(out, field->label, '{');
    json_double(out, "first_ns", alone);
    json_double(out, "further_ns", further);
    json_close(out, '}');
  }
  json_close(out, '}');
  const struct request** all = calloc(count, sizeof *all);
  for (uint32_t i = 0; i < count; i++) all[i] = &requests[i];
  json_double(out, "first_field_ns", first_ns);
  json_double(out, "further_field_ns", sum / count);
  json_double(out, "all_fields_ns", ask(bench, all, count));
  free(all);
}

static bool measure(struct bench* bench, struct json_out* out) {
  struct plugin* plugin = bench->plugin;
  int64_t bare = resident_bytes(), bare_pss = memory_bytes("Pss"), bare_private = memory_bytes("Private_Dirty");
  double wall = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
  if (!plugin_load(plugin)) return false;
  double load_wall = clock_seconds(CLOCK_MONOTONIC) - wall, load_cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  struct text ignored;
  text_start(&ignored);
  bool well = plugin_describe(plugin, &ignored.out);
  text_free(&ignored);
  uint32_t count = 0;
  struct request* requests = well && plugin->is_extractor ? plugin_requests(plugin, bench->options->fields[0], &count) : NULL;
  if (!well || !plugin->is_source || (plugin->is_extractor && requests == NULL)) {
    violation("bench: only a source can be measured, and only by fields that it has");
    return false;
  }
  int32_t rc = RC_FAILURE;
  double init_wall = clock_seconds(CLOCK_MONOTONIC), init_cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
  bench->state = call_init(plugin, bench->options->init[0], &rc);
  init_wall = clock_seconds(CLOCK_MONOTONIC) - init_wall;
  init_cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - init_cpu;
  if (rc != RC_SUCCESS) return fail(bench, "init");
  json_double(out, "load_ms", load_wall * 1e3);
  json_double(out, "load_cpu_ms", load_cpu * 1e3);
  json_double(out, "init_ms", init_wall * 1e3);
  json_double(out, "init_cpu_ms", init_cpu * 1e3);
  json_double(out, "rss_after_init_kb", (double)(resident_bytes() - bare) / 1024);
  if (!open_again(bench)) return false;
  if (!read_events(bench, bench->options->events == 0 ? EVENTS_BY_DEFAULT : bench->options->events, requests, count)) return false;
  json_double(out, "rss_after_events_kb", (double)(resident_bytes() - bare) / 1024);
  json_double(out, "pss_after_events_kb", (double)(memory_bytes("Pss") - bare_pss) / 1024);
  json_double(out, "private_after_events_kb", (double)(memory_bytes("Private_Dirty") - bare_private) / 1024);
  json_uint(out, "events", bench->taken);
  json_uint(out, "batches", bench->batches);
  json_double(out, "next_batch_ns", bench->batch_seconds / (double)bench->taken * 1e9);
  json_double(out, "next_batch_wall_ns", bench->batch_wall_seconds / (double)bench->taken * 1e9);
  json_double(out, "batches_cpu_ms", bench->batch_seconds * 1e3);
  write_latency(bench, out);
  if (count > 0) measure_fields(bench, requests, count, out);
  call_close(plugin, bench->state, bench->instance);
  call_destroy(plugin, bench->state);
  free_requests(requests, count);
  return true;
}

bool bench(struct plugin* plugin, const struct options* options, struct json_out* out) {
  struct bench bench = {.plugin = plugin, .options = options, .clock_cost = clock_cost()};
  bench.memory = malloc(KEPT_BYTES);
  memset(bench.memory, 1, KEPT_BYTES); /* so that it counts as the bare host's */
  json_open(out, "bench", '{');
  bool well = measure(&bench, out);
  json_close(out, '}');
  free(bench.memory);
  return well;
}
