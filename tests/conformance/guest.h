/* A plugin is a guest in the framework's process: what it must leave as it was. */
#ifndef LANNER_TESTS_HOST_GUEST_H
#define LANNER_TESTS_HOST_GUEST_H

void guest_arrives(void);
/* Signals, locale, working directory, umask and environment are the framework's, even while the plugin is in use. */
void guest_check_manners(void);
/* After destroy: no thread of the plugin is left, and no more files are open than after the first time. */
void guest_check_leavings(void);

#endif
