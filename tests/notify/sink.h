#ifndef DROVER_TESTS_SINK_H
#define DROVER_TESTS_SINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A receiver that costs next to nothing: HTTP over keep-alive connections, one
 * thread, epoll.  It hands each body to its owner, who says what is answered.
 * Failures end the program.
 */

#define SINK_CONNECTIONS_MAX 256

struct sink;

/* Has a port of 127.0.0.1, but refuses connections until sink_open(). */
struct sink *sink_new(
    int (*answer)(const char *body, int run, void *arg), void *arg);
int sink_port(const struct sink *sink);
void sink_open(struct sink *sink);
/* Connections that are accepted from now on are of this run. */
void sink_set_run(struct sink *sink, int run);
/* Serves what there is, waiting for it at most so long. */
void sink_serve(struct sink *sink, int wait_ms);
void sink_free(struct sink *sink);

#endif
