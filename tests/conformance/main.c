/* conformance_host: plays the framework's part towards a Falco plugin, strictly. */
#include <dlfcn.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "guest.h"
#include "report.h"
#include "session.h"

enum { MOST_THREADS = 64 };

struct plugins {
  struct plugin all[MOST_PLUGINS];
  unsigned count;
  unsigned unloaded; /* how often dlclose really took one out of the process */
};

static const char help[] =
    "conformance_host [options] plugin.so [beside.so ...]\n"
    "\n"
    "Loads a Falco plugin of ABI 0.3, 1.0, 2.0 or 3.x, uses it as Falco does, and prints one JSON object on stdout. What the plugin\n"
    "itself prints goes to stderr. Exit status: 0 no violation, 1 violations, 2 wrong usage. Further plugins are used at the same time,\n"
    "in the same process; --init, --open and --fields can then be given once for each, and the last holds for the rest.\n"
    "\n"
    "  --info              only what can be asked without init\n"
    "  --init TEXT         init configuration (nothing; {} where the plugin has a JSON schema, which has to take it)\n"
    "  --no-schema         init with what the schema refuses, too\n"
    "  --open TEXT         open parameters (nothing)\n"
    "  --set-config TEXT   a new configuration after init, where the plugin takes one\n"
    "  --fields LIST       name,name[arg],... to extract of every event (all that need no argument)\n"
    "  --feed FILE         the lines of this file as events, for a plugin that only extracts\n"
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
    "Report: info {api, symbols, capabilities, name, ..., schema, fields}; beside: the same of further plugins; runs [{plugin, cycle,\n"
    "thread, init, open, end, count, digest, ..., events [{ts, payload, fields, offsets, text}]}]; unloaded: how often dlclose really\n"
    "took a plugin out of the process; logs; violations. A field without value is not in fields. Bytes that are not UTF-8 are given as\n"
    "{\"hex\": \"...\"}. Equal digests: equal payloads, values and texts.\n";

/* Letters for getopt; users only know the long names. */
static const struct option long_options[] = {
    {"info", no_argument, NULL, 'i'},
    {"init", required_argument, NULL, 'I'},
    {"no-schema", no_argument, NULL, 'n'},
    {"open", required_argument, NULL, 'o'},
    {"set-config", required_argument, NULL, 'c'},
    {"fields", required_argument, NULL, 'f'},
    {"feed", required_argument, NULL, 'E'},
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

static bool read_number(const char* text, double least, double most, double* number) {
  char* end;
  *number = strtod(text, &end);
  return *text != '\0' && *end == '\0' && *number >= least && *number <= most;
}

/* One text for each plugin; the last one holds for all that follow. */
struct texts {
  const char* all[MOST_PLUGINS];
  unsigned count;
};

static bool add(struct texts* texts, const char* text) {
  if (texts->count == MOST_PLUGINS) return false;
  texts->all[texts->count++] = text;
  return true;
}

static void spread(const struct texts* texts, const char* otherwise, const char** to) {
  for (unsigned i = 0; i < MOST_PLUGINS; i++) to[i] = texts->count == 0 ? otherwise : texts->all[i < texts->count ? i : texts->count - 1];
}

/* False: wrong usage. */
static bool read_options(int count, char** arguments, struct options* options, struct plugins* plugins, const char** api) {
  struct texts init = {0}, open = {0}, fields = {0};
  bool lazy = false, deepbind = false, well = true;
  double number = 0;
  for (int option; (option = getopt_long(count, arguments, "", long_options, NULL)) != -1;) {
    switch (option) {
      case 'i':
        options->info = true;
        break;
      case 'I':
        well = add(&init, optarg) && well;
        break;
      case 'n':
        options->no_schema = true;
        break;
      case 'o':
        well = add(&open, optarg) && well;
        break;
      case 'c':
        options->set_config = optarg;
        break;
      case 'f':
        well = add(&fields, optarg) && well;
        break;
      case 'E':
        options->feed = optarg;
        break;
      case 'e':
        well = read_number(optarg, 1, 1e15, &number) && well;
        options->events = (uint64_t)number;
        break;
      case 's':
        well = read_number(optarg, 0, 1e6, &options->seconds) && well;
        break;
      case 'S':
        well = read_number(optarg, 0, 1e9, &options->slow_ms) && well;
        break;
      case 'C':
        well = read_number(optarg, 1, 1e6, &number) && well;
        options->cycles = (unsigned)number;
        break;
      case 'r':
        options->reload = true;
        break;
      case 't':
        well = read_number(optarg, 1, MOST_THREADS, &number) && well;
        options->threads = (unsigned)number;
        break;
      case 'O':
        options->offsets = true;
        break;
      case 'F':
        options->offline = true;
        break;
      case 'k':
        options->keep = *optarg;
        well = strchr("fan", *optarg) != NULL && well;
        break;
      case 'l':
        lazy = true;
        break;
      case 'd':
        deepbind = true;
        break;
      case 'a':
        *api = optarg;
        break;
      case 'b':
        options->bench = true;
        break;
      case 'h':
        fputs(help, stdout);
        exit(0);
      default:
        return false;
    }
  }
  spread(&init, "", options->init);
  spread(&open, "", options->open);
  spread(&fields, NULL, options->fields);
  for (; optind < count && plugins->count < MOST_PLUGINS; optind++) {
    struct plugin* plugin = &plugins->all[plugins->count++];
    plugin->load_flags = (lazy ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL | (deepbind ? RTLD_DEEPBIND : 0);
    bool is_name = strchr(arguments[optind], '/') == NULL; /* dlopen would search for it elsewhere */
    snprintf(plugin->path, sizeof plugin->path, "%s%s", is_name ? "./" : "", arguments[optind]);
  }
  return well && optind == count && plugins->count > 0 && (plugins->count == 1 || !options->bench);
}

static void check_api(const struct plugin* plugin, const char* wanted) {
  char api[48];
  snprintf(api, sizeof api, "%u.%u.%u", plugin->major, plugin->minor, plugin->patch);
  size_t length = wanted == NULL ? 0 : strlen(wanted);
  bool same = length == 0 || (strncmp(api, wanted, length) == 0 && (api[length] == '.' || api[length] == '\0'));
  if (!same) violation("get_required_api_version: %s, not %s", api, wanted);
}

static void* pump(void* session) {
  session_pump(session);
  return NULL;
}

/* States and instances of plugins that live at the same time must be different ones. */
static void check_distinct(const struct session* sessions, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    for (unsigned before = 0; before < i; before++) {
      if (sessions[i].state != NULL && sessions[i].state == sessions[before].state) violation("init: the same state twice");
      if (sessions[i].instance != NULL && sessions[i].instance == sessions[before].instance) violation("open: the same instance twice");
    }
  }
}

/* All plugins live at the same time, each with this number of states and instances. False: the fields asked for are not a plugin's. */
static bool run_cycle(const struct plugins* plugins, const struct options* options, unsigned cycle, struct json_out* out) {
  struct session sessions[MOST_PLUGINS * MOST_THREADS] = {0};
  pthread_t threads[MOST_PLUGINS * MOST_THREADS];
  struct request* requests[MOST_PLUGINS] = {0};
  uint32_t request_counts[MOST_PLUGINS] = {0};
  unsigned count = 0;
  for (unsigned i = 0; i < plugins->count; i++) {
    const struct plugin* plugin = &plugins->all[i];
    if (!plugin->is_extractor) continue;
    requests[i] = plugin_requests(plugin, options->fields[i], &request_counts[i]);
    if (requests[i] == NULL) return false;
  }
  for (unsigned i = 0; i < plugins->count * options->threads; i++) {
    unsigned index = i / options->threads;
    struct session* session = &sessions[count++];
    *session = (struct session){.plugin = &plugins->all[index], .options = options, .index = index, .cycle = cycle};
    session->thread = i % options->threads;
    session->init = options->init[index];
    session->open = options->open[index];
    session->requests = requests[index];
    session->request_count = request_counts[index];
    session_init(session);
    session_open(session);
  }
  check_distinct(sessions, count);
  guest_check_manners();
  if (count == 1) {
    session_pump(&sessions[0]);
  } else {
    for (unsigned i = 0; i < count; i++) pthread_create(&threads[i], NULL, pump, &sessions[i]);
    for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
  }
  for (unsigned i = 0; i < count; i++) session_end(&sessions[i]);
  guest_check_manners();
  guest_check_leavings();
  for (unsigned i = 0; i < plugins->count; i++) plugin_check_held_texts(&plugins->all[i]);
  for (unsigned i = 0; i < count; i++) {
    bool first = cycle == 0 && sessions[i].thread == 0;
    session_write(&sessions[i], out, options->keep == 'a' || (options->keep == 'f' && first));
    session_free(&sessions[i]);
  }
  for (unsigned i = 0; i < plugins->count; i++) free_requests(requests[i], request_counts[i]);
  return true;
}

static void unload(struct plugins* plugins) {
  for (unsigned i = 0; i < plugins->count; i++) {
    if (plugins->all[i].library != NULL) plugins->unloaded += plugin_unload(&plugins->all[i]);
  }
}

static bool reload(struct plugins* plugins) {
  unload(plugins);
  struct text again;
  text_start(&again);
  bool well = true;
  for (unsigned i = 0; i < plugins->count && well; i++) {
    well = plugin_load(&plugins->all[i]) && plugin_describe(&plugins->all[i], &again.out);
  }
  if (!well) violation("dlopen: the second time it cannot be used");
  text_free(&again);
  return well;
}

static bool load(struct plugin* plugin, const char* api, const char* key, struct json_out* out) {
  if (!plugin_load(plugin)) return false;
  check_api(plugin, api);
  json_open(out, key, '{');
  bool well = plugin_describe(plugin, out);
  json_close(out, '}');
  return well;
}

/* False: wrong usage. */
static bool run(struct plugins* plugins, const struct options* options, const char* api, struct json_out* out) {
  bool well = load(&plugins->all[0], api, "info", out), usage = true;
  if (plugins->count > 1) {
    json_open(out, "beside", '[');
    for (unsigned i = 1; i < plugins->count; i++) well = load(&plugins->all[i], NULL, NULL, out) && well;
    json_close(out, ']');
  }
  if (options->info || !well) return true;
  json_open(out, "runs", '[');
  for (unsigned cycle = 0; cycle < options->cycles && well && usage; cycle++) {
    if (cycle > 0 && options->reload) well = reload(plugins);
    if (well) usage = run_cycle(plugins, options, cycle, out);
  }
  json_close(out, ']');
  return usage;
}

int main(int count, char** arguments) {
  struct options options = {.seconds = 30, .slow_ms = 1000, .cycles = 1, .threads = 1, .keep = 'f'};
  struct plugins plugins = {0};
  const char* api = NULL;
  if (!read_options(count, arguments, &options, &plugins, &api)) {
    fputs("conformance_host: wrong usage; --help tells\n", stderr);
    return 2;
  }
  int report = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  report_crashes_to(report);

  guest_arrives();
  struct text text;
  text_start(&text);
  json_open(&text.out, NULL, '{');
  bool usage = true;
  if (options.bench) bench(&plugins.all[0], &options, &text.out);
  else usage = run(&plugins, &options, api, &text.out);
  unload(&plugins);
  json_uint(&text.out, "unloaded", plugins.unloaded);
  write_logs(&text.out);
  write_violations(&text.out);
  json_close(&text.out, '}');
  text_flush(&text);
  FILE* file = fdopen(report, "w");
  if (usage) fprintf(file, "%s\n", text.bytes);
  text_free(&text);
  if (!usage) return 2;
  return fclose(file) == 0 && !any_violation() ? 0 : 1;
}
