#include "report.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_VIOLATIONS = 200, MOST_LOGS = 1000 };

_Thread_local const char* doing = "nothing";
_Thread_local uint64_t doing_event;

/* The same violation of every event is reported once, with a count. */
static struct {
  char* text;
  uint64_t times;
  uint64_t first_event;
} violations[MOST_VIOLATIONS];
static int violation_count;

static struct {
  char* owner;
  char* component;
  char* message;
  int severity;
} logs[MOST_LOGS];
static int log_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int crash_fd = -1;

void violation(const char* format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  pthread_mutex_lock(&lock);
  int i = 0;
  while (i < violation_count && strcmp(violations[i].text, text) != 0) i++;
  if (i < violation_count) {
    violations[i].times++;
  } else if (i < MOST_VIOLATIONS) {
    violations[i].text = strdup(text);
    violations[i].times = 1;
    violations[i].first_event = doing_event;
    violation_count++;
  }
  pthread_mutex_unlock(&lock);
}

bool any_violation(void) { return violation_count > 0; }

void write_violations(struct json_out* out) {
  json_open(out, "violations", '[');
  for (int i = 0; i < violation_count; i++) {
    char text[640];
    int length = snprintf(text, sizeof text, "%s", violations[i].text);
    if (violations[i].first_event > 0) {
      length += snprintf(text + length, sizeof text - (size_t)length, " (event %llu)", (unsigned long long)violations[i].first_event);
    }
    if (violations[i].times > 1) {
      snprintf(text + length, sizeof text - (size_t)length, " (%llu times)", (unsigned long long)violations[i].times);
    }
    json_text(out, NULL, text);
  }
  json_close(out, ']');
}

void keep_log(const char* owner, const char* component, const char* message, int severity) {
  if (message == NULL) violation("log: the message is NULL");
  if (severity < 1 || severity > 8) violation("log: severity %d is none", severity);
  pthread_mutex_lock(&lock);
  if (log_count < MOST_LOGS) {
    logs[log_count].owner = strdup(owner);
    logs[log_count].component = component == NULL ? NULL : strdup(component);
    logs[log_count].message = strdup(message == NULL ? "" : message);
    logs[log_count++].severity = severity;
  }
  pthread_mutex_unlock(&lock);
}

void write_logs(struct json_out* out) {
  json_open(out, "logs", '[');
  for (int i = 0; i < log_count; i++) {
    json_open(out, NULL, '{');
    json_text(out, "owner", logs[i].owner);
    if (logs[i].component != NULL) json_text(out, "component", logs[i].component);
    json_text(out, "message", logs[i].message);
    json_int(out, "severity", logs[i].severity);
    json_close(out, '}');
  }
  json_close(out, ']');
}

/* Only write() and _exit() are safe here. No name of a call needs escaping. */
static void on_crash(int number) {
  char text[256];
  static const char before[] = "{\"crashed\": true, \"violations\": [\"signal ";
  size_t length = sizeof before - 1;
  memcpy(text, before, length);
  text[length++] = (char)('0' + number / 10);
  text[length++] = (char)('0' + number % 10);
  text[length++] = ' ';
  text[length++] = 'i';
  text[length++] = 'n';
  text[length++] = ' ';
  for (const char* next = doing; *next != '\0' && length < sizeof text - 8; next++) text[length++] = *next;
  memcpy(text + length, "\"]}\n", 4);
  if (write(crash_fd, text, length + 4) < 0) _exit(3);
  _exit(1);
}

void report_crashes_to(int fd) {
  crash_fd = fd;
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) signal(numbers[i], on_crash);
}
