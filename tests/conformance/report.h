/* Violations that the host found, from all threads, with its action at that time. */
#ifndef LANNER_TESTS_HOST_REPORT_H
#define LANNER_TESTS_HOST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

/* The function of the plugin that this thread is in, and the event it is about: for reports of crashes and violations. */
extern _Thread_local const char* doing;
extern _Thread_local uint64_t doing_event;

__attribute__((format(printf, 1, 2))) void violation(const char* format, ...);
bool any_violation(void);
void write_violations(struct json_out* out);

/* Messages that the plugin logged through the framework. */
void keep_log(const char* owner, const char* component, const char* message, int severity);
void write_logs(struct json_out* out);

/* A plugin that crashes still gives one JSON object, on this file descriptor, and exit status 1. */
void report_crashes_to(int fd);

#endif
