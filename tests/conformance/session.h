/* One life of a plugin: init, open, batches with every field of every event, close, destroy; each answer held to what the API says. */
#ifndef LANNER_TESTS_HOST_SESSION_H
#define LANNER_TESTS_HOST_SESSION_H

#include "plugin.h"

enum { MOST_PLUGINS = 4 };

struct options {
  const char *init[MOST_PLUGINS], *open[MOST_PLUGINS], *fields[MOST_PLUGINS]; /* one for each plugin */
  const char *set_config, *feed;
  uint64_t events; /* 0: all */
  double seconds;
  double slow_ms;
  unsigned cycles, threads;
  bool info, no_schema, bench, reload, offsets, offline;
  char keep; /* events in the report: of the 'f'irst run, of 'a'll, of 'n'one */
};

struct text {
  struct json_out out;
  char* bytes;
  size_t length;
};

struct kept_event;

struct session {
  const struct plugin* plugin;
  const struct options* options;
  const struct request* requests;
  uint32_t request_count;
  const char *init, *open;
  unsigned index, cycle, thread; /* which plugin's, which of its lives, which of those at a time */
  void *state, *instance;
  bool is_open;
  uint64_t events, batches, timeouts, digest;
  double slowest_ms;
  const char* end; /* how it ended: eof, failure, events, seconds, refused, init failed, open failed */
  struct text head, list;
  struct kept_event* kept;
  size_t kept_count;
};

void text_start(struct text* text);
void text_flush(struct text* text);
void text_free(struct text* text);

void session_init(struct session* session);
void session_open(struct session* session);
void session_pump(struct session* session);
void session_end(struct session* session); /* close and destroy, after any calls */
void session_write(struct session* session, struct json_out* out, bool with_events);
void session_free(struct session* session);

double clock_seconds(int clock);
uint64_t now_ns(void);

/* -- its parts ---------------------------------------------------------------------------------------------------------------------- */

enum { UNWRITTEN = 0x5AA5AA5A }; /* the initial value of what plugins must write */

const char* rc_name(int32_t rc); /* NULL: there is no such return code */
/* False: the framework would end with an error. */
bool next_batch(struct session* session, int32_t* rc);
void check_end_stays(struct session* session);
void check_progress(struct session* session, bool write);
void take_event(struct session* session, const struct event* event);
void read_again_offline(struct session* session);

#endif
