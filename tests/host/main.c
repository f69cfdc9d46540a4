/* conformance_host: plays the framework's part towards a Falco plugin, strictly. */
#include <dlfcn.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "report.h"
#include "session.h"

enum { MOST_THREADS = 64 };

static const char help[] =
    "conformance_host [options] plugin.so\n"
    "\n"
    "Loads a Falco plugin of ABI 0.3, 1.0, 2.0 or 3.x, uses it as Falco does, and prints one JSON object on stdout. What the plugin\n"
    "itself prints goes to stderr. Exit status: 0 no violation, 1 violations, 2 wrong usage.\n"
    "\n"
    "  --info              only what can be asked without init\n"
    "  --init TEXT         init configuration (nothing; {} where the plugin has a JSON schema)\n"
    "  --open TEXT         open parameters (nothing)\n"
    "  --set-config TEXT   a new configuration after init, where the plugin takes one\n"
    "  --fields LIST       name,name[arg],... to extract of every event (all that need no argument)\n"
    "  --events N          stop after N events (at the source's end)\n"
    "  --seconds S         stop after S seconds (30)\n"
    "  --slow-ms MS        a next_batch that takes longer is a violation (1000)\n"
    "  --cycles N          init to destroy N times (1); --reload: dlclose and dlopen between\n"
    "  --threads N         N states and instances at a time, each on its own thread (1); init and open on the first\n"
    "  --offsets           ask for offsets of values (3.11)\n"
    "  --offline           then read all events again as from capture files: same place, same number\n"
    "  --keep WHICH        whose events are in the report: first run's, all, none (first)\n"
    "  --lazy              RTLD_LAZY instead of RTLD_NOW; --deepbind: and RTLD_DEEPBIND\n"
    "  --api VERSION       a violation when the plugin requires another (3, 3.0.0, ...)\n"
    "  --bench             measure instead of checking: CPU time and memory, as \"bench\"\n"
    "\n"
    "Report: info {api, symbols, capabilities, name, ..., schema, fields}; runs [{cycle, thread, init, open, end, count, digest, ...,\n"
    "events [{ts, payload, fields, offsets, text}]}]; unloaded: how often dlclose really took it out of the process; logs; violations.\n"
    "A field without value is not in fields. Bytes that are not UTF-8 are given as {\"hex\": \"...\"}. Equal digests: equal payloads,\n"
    "values and texts.\n";

/* Letters for getopt; users know the long names alone. */
static const struct option long_options[] = {
    {"info", no_argument, NULL, 'i'},
    {"init", required_argument, NULL, 'I'},
    {"open", required_argument, NULL, 'o'},
    {"set-config", required_argument, NULL, 'c'},
    {"fields", required_argument, NULL, 'f'},
    {"events", required_argument, NULL, 'e'},
    {"seconds", required_argument, NULL, 's'},
    {"slow-ms", required_argument, NULL, 'S'},
    {"cycles", required_argument, NULL, 'C'},
    {"reload", no_argument, NULL, 'r'},
    {"threads", required_argument, NULL, 't'},
    {"offsets", no_argument, NULL, 'O'},
    {"offline", no_argument, NULL, 'F'},
    {"keep", required_argument, NULL, 'k'},
    {"lazy", no_argument, NULL, 'l'},
    {"deepbind", no_argument, NULL, 'd'},
    {"api", required_argument, NULL, 'a'},
    {"bench", no_argument, NULL, 'b'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, double least, double most, double *number) {
  char *end;
  *number = strtod(text, &end);
  return *text != '\0' && *end == '\0' && *number >= least && *number <= most;
}

/* False: wrong usage. */
static bool read_options(int count, char **arguments, struct options *options, struct plugin *plugin, const char **api) {
  bool lazy = false, deepbind = false, well = true;
  double number = 0;
  for (int option; (option = getopt_long(count, arguments, "", long_options, NULL)) != -1;) {
    switch (option) {
      case 'i': options->info = true; break;
      case 'I': options->init = optarg; break;
      case 'o': options->open = optarg; break;
      case 'c': options->set_config = optarg; break;
      case 'f': options->fields = optarg; break;
      case 'e': well = read_number(optarg, 1, 1e15, &number) && well; options->events = (uint64_t)number; break;
      case 's': well = read_number(optarg, 0, 1e6, &options->seconds) && well; break;
      case 'S': well = read_number(optarg, 0, 1e9, &options->slow_ms) && well; break;
      case 'C': well = read_number(optarg, 1, 1e6, &number) && well; options->cycles = (unsigned)number; break;
      case 'r': options->reload = true; break;
      case 't': well = read_number(optarg, 1, MOST_THREADS, &number) && well; options->threads = (unsigned)number; break;
      case 'O': options->offsets = true; break;
      case 'F': options->offline = true; break;
      case 'k': options->keep = *optarg; well = strchr("fan", *optarg) != NULL && well; break;
      case 'l': lazy = true; break;
      case 'd': deepbind = true; break;
      case 'a': *api = optarg; break;
      case 'b': options->bench = true; break;
      case 'h': fputs(help, stdout); exit(0);
      default: return false;
    }
  }
  plugin->load_flags = (lazy ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL | (deepbind ? RTLD_DEEPBIND : 0);
  plugin->path = arguments[optind];
  return well && optind + 1 == count;
}

static void check_api(const struct plugin *plugin, const char *wanted) {
  char api[48];
  snprintf(api, sizeof api, "%u.%u.%u", plugin->major, plugin->minor, plugin->patch);
  size_t length = wanted == NULL ? 0 : strlen(wanted);
  bool same = length == 0 || (strncmp(api, wanted, length) == 0 && (api[length] == '.' || api[length] == '\0'));
  if (!same) violation("get_required_api_version: %s, not %s", api, wanted);
}

static void *pump(void *session) {
  session_pump(session);
  return NULL;
}

/* States and instances of plugins that live at the same time must be different ones. */
static void check_distinct(const struct session *sessions, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    for (unsigned before = 0; before < i; before++) {
      if (sessions[i].state != NULL && sessions[i].state == sessions[before].state) violation("init: the same state twice");
      if (sessions[i].instance != NULL && sessions[i].instance == sessions[before].instance) violation("open: the same instance twice");
    }
  }
}

/* False: the fields asked for are not the plugin's. */
static bool run_cycle(const struct plugin *plugin, const struct options *options, unsigned cycle, struct json_out *out) {
  struct session sessions[MOST_THREADS] = {0};
  pthread_t threads[MOST_THREADS];
  uint32_t request_count = 0;
  struct request *requests = NULL;
  if (plugin->is_extractor) requests = plugin_requests(plugin, options->fields, &request_count);
  if (plugin->is_extractor && requests == NULL) return false;
  for (unsigned i = 0; i < options->threads; i++) {
    struct session session = {.plugin = plugin, .options = options, .cycle = cycle, .thread = i};
    session.requests = requests;
    session.request_count = request_count;
    sessions[i] = session;
    session_init(&sessions[i]);
    session_open(&sessions[i]);
  }
  check_distinct(sessions, options->threads);
  if (options->threads == 1) {
    session_pump(&sessions[0]);
  } else {
    for (unsigned i = 0; i < options->threads; i++) pthread_create(&threads[i], NULL, pump, &sessions[i]);
    for (unsigned i = 0; i < options->threads; i++) pthread_join(threads[i], NULL);
  }
  for (unsigned i = 0; i < options->threads; i++) session_end(&sessions[i]);
  plugin_check_held_texts();
  for (unsigned i = 0; i < options->threads; i++) {
    bool first = cycle == 0 && i == 0;
    session_write(&sessions[i], out, options->keep == 'a' || (options->keep == 'f' && first));
    session_free(&sessions[i]);
  }
  free_requests(requests, request_count);
  return true;
}

static bool reload(struct plugin *plugin, unsigned *unloaded) {
  *unloaded += plugin_unload(plugin);
  struct text again;
  text_start(&again);
  bool well = plugin_load(plugin) && plugin_describe(plugin, &again.out);
  if (!well) violation("dlopen: the second time it cannot be used");
  text_free(&again);
  return well;
}

/* False: wrong usage. */
static bool run(struct plugin *plugin, const struct options *options, const char *api, unsigned *unloaded, struct json_out *out) {
  if (!plugin_load(plugin)) return true;
  check_api(plugin, api);
  json_open(out, "info", '{');
  bool well = plugin_describe(plugin, out);
  json_close(out, '}');
  if (options->info || !well) return true;
  bool usage = true;
  json_open(out, "runs", '[');
  for (unsigned cycle = 0; cycle < options->cycles && well && usage; cycle++) {
    if (cycle > 0 && options->reload) well = reload(plugin, unloaded);
    if (well) usage = run_cycle(plugin, options, cycle, out);
  }
  json_close(out, ']');
  return usage;
}

int main(int count, char **arguments) {
  struct options options = {.init = "", .open = "", .seconds = 30, .slow_ms = 1000, .cycles = 1, .threads = 1, .keep = 'f'};
  struct plugin plugin = {0};
  const char *api = NULL;
  if (!read_options(count, arguments, &options, &plugin, &api)) {
    fputs("conformance_host: wrong usage; --help tells\n", stderr);
    return 2;
  }
  int report = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  report_crashes_to(report);

  struct text text;
  text_start(&text);
  json_open(&text.out, NULL, '{');
  bool usage = true;
  unsigned unloaded = 0;
  if (options.bench) bench(&plugin, &options, &text.out);
  else usage = run(&plugin, &options, api, &unloaded, &text.out);
  if (plugin.library != NULL) unloaded += plugin_unload(&plugin);
  json_uint(&text.out, "unloaded", unloaded); /* how often it was really gone from the process */
  write_logs(&text.out);
  write_violations(&text.out);
  json_close(&text.out, '}');
  text_flush(&text);
  FILE *file = fdopen(report, "w");
  if (usage) fprintf(file, "%s\n", text.bytes);
  text_free(&text);
  if (!usage) return 2;
  return fclose(file) == 0 && !any_violation() ? 0 : 1;
}
