#ifndef DROVER_CONTROL_INBOUND_H
#define DROVER_CONTROL_INBOUND_H

#include "config/settings.h"
#include "control/backend.h"
#include "run/loop.h"

/*
 * The door for monitoring: HTTP on a TCP address (alerts.listen), which knows
 * one request only:
 *
 *   POST /v1/alerts            Authorization: Bearer TOKEN
 *
 * Any other path is answered with 404, another method with 405, a wrong token
 * with 401, a body of more than 1 MiB with 413.  At most INBOUND_CONNECTIONS_MAX
 * connections at once (more wait to be accepted), each for one request and for
 * at most INBOUND_DEADLINE_MS, however slowly it talks.  Loop thread only.
 */

#define INBOUND_CONNECTIONS_MAX 64
#define INBOUND_DEADLINE_MS 15000

#define INBOUND_TOKEN_MIN 16
#define INBOUND_TOKEN_MAX 512
struct inbound_token {
	char text[INBOUND_TOKEN_MAX + 1]; /* "": none */
};

struct inbound;

/* The token that these settings want: 0 also when they want none. */
int inbound_read_token(const struct settings *settings,
    struct inbound_token *out, struct err *err);

/* Opens the door, if one is wanted (else *out is NULL).  The backend must
 * outlive it. */
int inbound_open(struct loop *loop, const struct settings *settings,
    const struct control_backend *backend, struct inbound **out,
    struct err *err);
void inbound_free(struct inbound *inbound); /* NULL allowed */

/* After a reload.  NULL allowed. */
void inbound_set_token(
    struct inbound *inbound, const struct inbound_token *token);

#endif
