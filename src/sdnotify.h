#ifndef DROVER_SDNOTIFY_H
#define DROVER_SDNOTIFY_H

/*
 * Tells the service manager ("READY=1"), when there is one that wants to know
 * (NOTIFY_SOCKET, sd_notify(3)).  Failing is not an error.
 */
void sdnotify(const char *state);

#endif
