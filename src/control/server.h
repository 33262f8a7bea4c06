#ifndef DROVER_CONTROL_SERVER_H
#define DROVER_CONTROL_SERVER_H

#include "control/backend.h"
#include "run/loop.h"

/*
 * HTTP + JSON over the unix socket (mode 0660, group as configured), so that
 * `curl --unix-socket` works too.  Peer credentials are read from the socket:
 * root, the daemon's own user and members of the socket's group (or whoever the
 * file mode lets connect; the mode is the gate) may ask.
 *
 *   GET  /v1/status            GET  /v1/hosts[/NAME]   GET /v1/vms[/VM]
 *   GET  /v1/plan/drain/HOST?parallel=&to=
 *   POST /v1/hosts/NAME/drain   {"parallel": N, "to": H, "reason": T}
 *   POST /v1/hosts/NAME/undrain | cordon {"reason": T} | uncordon
 *   GET  /v1/drains[?max=N]    GET /v1/drains/ID
 *   GET  /v1/moves[?max=N&open=1]   GET /v1/moves/ID   POST /v1/moves/ID/abort
 *   POST /v1/vms/VM/move        {"to": H, "strategy": S, "dry_run": true}
 *   GET  /v1/alerts            POST /v1/alerts (Alertmanager's body)
 *   GET  /v1/receivers         POST /v1/receivers/NAME/test | replay | drop
 *   GET  /v1/deliveries[?receiver=R&state=S&before=ID&max=N]   GET .../ID
 *   POST /v1/deliveries/ID/replay | drop      GET /v1/attempts[?receiver=R]
 *   POST /v1/reload            GET /healthz
 *   GET  /v1/events[?after=SEQ]   server-sent events; Last-Event-ID; each data
 *                              line is the CloudEvent; comments as heartbeat
 *
 * Errors: {"schema": ..., "error": {"code": "not-found", "message": "...",
 * "details": [...]}}.  A wrong method, path, type or key is refused with what
 * would be right.
 */

#define SERVER_BODY_MAX (64 * 1024)
#define SERVER_FOLLOWERS_MAX 64
#define SERVER_LATER_MAX 16 /* requests whose answer takes a while */

struct server;

/* The backend must outlive the server.
 * A stale socket of a dead daemon is replaced; a living one is an error. */
struct server *server_new(struct loop *loop, const char *socket_path,
    const char *group, const struct control_backend *backend, struct err *err);
void server_free(struct server *server);
/* A new event was stored: pass it to followers. */
void server_push_event(struct server *server, const struct store_event *event);

#endif
