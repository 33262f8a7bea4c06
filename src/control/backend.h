#ifndef DROVER_CONTROL_BACKEND_H
#define DROVER_CONTROL_BACKEND_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/store.h"

/*
 * What the daemon can be asked and told, without a word on transport.  The
 * daemon implements it (src/backend.c), control/server.c serves it over HTTP.
 * Loop thread only.  A function returns a new reference, or NULL with *err
 * (ERR_NOT_FOUND -> 404, ERR_INVALID -> 400, ERR_CONFLICT -> 409, ERR_LIMIT -> 503,
 * ERR_UNREACHABLE -> 503, else 500).  Every body carries "schema": "drover/v1",
 * added by the server.  Unknown = key absent.
 *
 * Times are RFC 3339 strings, durations *_ms, sizes bytes, rates bytes/s.
 *
 * status   {version, site, pid, started, uptime_ms, hosts: {up, down, silent,
 *          claimed, maintenance, cordoned}, vms: {running, total}, moves: {in_flight,
 *          completed, failed}, drains: [drain without vms], receivers:
 *          [{name, type, pending, dead, ...}], config: {loaded, path,
 *          rejected: text of the last refused reload or absent}}
 * hosts    {hosts: [model/view.h host]}      host: one with detail, and
 *          "drain": the running drain without vms, if any; "kept": images of
 *          guests that have left: [{id, move, vm, uuid, host, pool, volume,
 *          path, since, until, note}]
 *          "homes": guests that want to go home there: [home and {vm, uuid}]
 * vms      {vms: [view vm]}                  vm: one with detail, and "home"
 *          when it wants to go home: {host, at, policy, since, why}
 * snapshot plan/write.h: all hosts and guests as droverctl simulate takes them
 * plan     decide/evaluate.h explain_plan, and "outlook": decide/route.h
 *          route_json
 * explain  of a guest {kind: "vm", state, policy, home} and an item of
 *          explain_plan; of a host {kind: "host", state, policies: [{policy,
 *          file, line, mode, when, holds: true|false|unknown}]} and a plan
 * drain    {id, host, state: running|done|blocked|cancelled, started, ended,
 *          by, reason, parallel, to, deadline, force_off, include_stopped,
 *          return_home (true or absent), duration_ms, total, moved, moving,
 *          waiting, blocked, failed (attempts that failed),
 *          bytes, vms: [drain_vm]}
 * drain_vm {vm, uuid, fate: moved|moving|waiting|blocked|excepted|gone, to,
 *          why, attempts, rejected: [{host, rule, why}] when blocked,
 *          strategy, move: move without journal, when one is or was}
 * move     {id, vm, uuid, from, to, strategy, handover, drain, policy, rule, why,
 *          attempt, state, outcome, error, cause, remedy, started, ended,
 *          duration_ms, progress: {percent (never goes back), phase, rate,
 *          dirty_rate, remaining, iteration, eta_ms (absent: not known),
 *          converging: bool, expected_downtime_ms}, result: {downtime_ms,
 *          downtime_source, bytes, memory_bytes, disk_bytes, iterations,
 *          total_ms}}; one with detail: journal: [{at, kind, step, detail}]
 *
 * decisions {decisions: [decision without detail]}
 * decision  act/decisions.h decisions_row_json; one with detail
 * policies {policies: [policy and holds_for: [host]]}
 * policy   {policy, description, mode, file_mode, mode_by, mode_since (both only
 *          where an operator set the mode), priority, file, line, decisions: how
 *          many are on}; one with subject, match (any or all, of several),
 *          conditions: [{subject, when, until, for_ms, line}], hosts: [{host,
 *          holds: true|false|unknown}] and decision: the newest, with detail
 *
 * receivers {receivers: [receiver]}: those of the configuration, then those that
 *          left it and still have deliveries
 * receiver {name, type, state: ok|retrying|held|disabled|not-configured, until
 *          (when it is tried again), why, pending, dead, oldest, oldest_ms (how
 *          long the oldest has been pending), oldest_id, dead_id (the newest dead
 *          letter), delivered (since the start), last_code, last_error}
 * deliveries {deliveries: [delivery]}
 * delivery {id, receiver, event: type without "drover.", subject, seq, state:
 *          pending|delivered|dead, webhook_id, created, age_ms, attempts, next,
 *          next_ms (0: due), grouped (true or absent), ended, code, why}; one with
 *          log: [attempt], newest first, and body: the event
 * attempts {attempts: [attempt]}
 * attempt  {id, delivery, receiver, at, ms, events, code, error, answer}
 * test     {receiver, event, ok: bool, code, ms, error, answer, remedy}
 *          Nothing of these holds a URL or a secret.
 *
 * GET /metrics is not JSON but text: what is counted since the state directory
 * was made, and how things are now; droverd(8), METRICS.
 *
 * A move that is refused for now only, because an answer is awaited, has "wait":
 * true beside "error".
 *
 * A drain that was asked for a host which is already being drained joins it.  What
 * starts or joins one is answered with the drain and its "outlook".
 */

/* Who asks: from the socket's peer credentials. */
struct control_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

struct control_drain_options {
	int parallel;        /* -1: none */
	const char *only_to; /* NULL */
	const char *reason;  /* NULL */
	bool force_off;      /* of guests that do not shut down */
	bool include_stopped;
	bool return_home;     /* its guests come back when it is over */
	struct wall deadline; /* ms 0: none */
};
struct control_move_options {
	const char *to;       /* NULL: the best */
	const char *strategy; /* NULL: any that fits */
	bool dry_run;
	bool force; /* whatever policies forbid */
	/* NULL, or set when it is refused for now only: an answer is awaited,
	 * and whoever asks again may get another. */
	bool *out_wait;
};
/* limit, and only what is under way */
struct control_move_filter {
	int max;
	bool open_only;
};

struct control_decision_filter {
	const char *policy, *host; /* NULL: any */
	bool open_only;            /* that are on */
	int max;
};

struct control_delivery_filter {
	const char *receiver; /* NULL: of all */
	const char *state;    /* "pending", "delivered", "dead"; NULL: any */
	int64_t before;       /* of smaller numbers only; 0: any */
	int max;
};

/* Takes an answer that comes later; answer NULL: why there is none. */
typedef void control_done_fn(json_t *answer, const struct err *err, void *arg);

struct control_backend {
	void *arg;
	json_t *(*status)(void *arg, struct err *err);
	/* In the text format of Prometheus. */
	int (*metrics)(void *arg, struct buf *out, struct err *err);
	json_t *(*hosts)(void *arg, struct err *err);
	json_t *(*host)(void *arg, const char *name, struct err *err);
	json_t *(*vms)(void *arg, struct err *err);
	json_t *(*vm)(void *arg, const char *name_or_uuid, struct err *err);
	json_t *(*snapshot)(void *arg, struct err *err);
	json_t *(*plan_drain)(void *arg, const char *host,
	    const struct control_drain_options *options, struct err *err);
	/* Of a guest or a host; ERR_CONFLICT when both have the name. */
	json_t *(*explain)(
	    void *arg, const char *name, const char *to, struct err *err);
	/* Returns the drain (started or joined).  The flag is durable. */
	json_t *(*drain)(void *arg, const char *host,
	    const struct control_drain_options *options,
	    const struct control_peer *peer, struct err *err);
	/* These return the host.  undrain also clears cordoned. */
	json_t *(*undrain)(void *arg, const char *host,
	    const struct control_peer *peer, struct err *err);
	json_t *(*cordon)(void *arg, const char *host, const char *reason,
	    const struct control_peer *peer, struct err *err);
	json_t *(*uncordon)(void *arg, const char *host,
	    const struct control_peer *peer, struct err *err);
	json_t *(*drains)(void *arg, int max, struct err *err);
	json_t *(*drain_show)(void *arg, int64_t id, struct err *err);
	json_t *(*moves)(void *arg, const struct control_move_filter *filter,
	    struct err *err);
	json_t *(*move)(void *arg, int64_t id, struct err *err);
	/* Starts a move (returns it), or with dry_run says what would be:
	 * {vm, from, to, strategy, handover, why, rejected: []}. */
	json_t *(*vm_move)(void *arg, const char *name_or_uuid,
	    const struct control_move_options *options,
	    const struct control_peer *peer, struct err *err);
	json_t *(*move_abort)(void *arg, int64_t id,
	    const struct control_peer *peer, struct err *err);
	json_t *(*decisions)(void *arg,
	    const struct control_decision_filter *filter, struct err *err);
	json_t *(*decision)(void *arg, int64_t id, struct err *err);
	/* Returns it. */
	json_t *(*decision_approve)(void *arg, int64_t id,
	    const struct control_peer *peer, struct err *err);
	json_t *(*policies)(void *arg, struct err *err);
	json_t *(*policy)(void *arg, const char *name, struct err *err);
	/* off, observe, approve, auto, or default: the file's.  Returns the
	 * policy without detail. */
	json_t *(*policy_set_mode)(void *arg, const char *name,
	    const char *mode, const struct control_peer *peer, struct err *err);
	/* `labels`: each a text, or null to take it back.  Returns the guest. */
	json_t *(*vm_label)(void *arg, const char *name_or_uuid, json_t *labels,
	    const struct control_peer *peer, struct err *err);
	/* {alerts: [view alert with host (absent: fits none), ends, seen,
	 * fingerprint]} */
	json_t *(*alerts)(void *arg, struct err *err);
	/* What Alertmanager posts; see act/alerts.h for what is returned. */
	json_t *(*alerts_post)(
	    void *arg, const char *body, size_t len, struct err *err);
	json_t *(*receivers)(void *arg, struct err *err);
	json_t *(*deliveries)(void *arg,
	    const struct control_delivery_filter *filter, struct err *err);
	json_t *(*delivery)(void *arg, int64_t id, struct err *err);
	/* The filter's state is not looked at. */
	json_t *(*attempts)(void *arg,
	    const struct control_delivery_filter *filter, struct err *err);
	/* These two return the delivery; one that is deleted, as it was, with
	 * "deleted": true. */
	json_t *(*delivery_replay)(void *arg, int64_t id,
	    const struct control_peer *peer, struct err *err);
	json_t *(*delivery_drop)(void *arg, int64_t id,
	    const struct control_peer *peer, struct err *err);
	/* All dead letters of a receiver: {receiver, replayed, left}; all that
	 * are pending, or with `dead` all dead letters: {receiver, dropped or
	 * deleted}. */
	json_t *(*receiver_replay)(void *arg, const char *name,
	    const struct control_peer *peer, struct err *err);
	json_t *(*receiver_drop)(void *arg, const char *name, bool dead,
	    const struct control_peer *peer, struct err *err);
	/* Sends a sample of an event (NULL: a test) at once.  done is
	 * called once, later, while the server is there; not when -1 is
	 * returned. */
	int (*receiver_test)(void *arg, const char *name, const char *event,
	    const struct control_peer *peer, control_done_fn *done,
	    void *done_arg, struct err *err);
	/* {loaded: true} or ERR_INVALID with all faults in err and, one per
	 * line, in *out_faults (free()). */
	json_t *(*reload)(void *arg, char **out_faults, struct err *err);
	/* Stored events with seq > after, oldest first. */
	int (*events)(void *arg, int64_t after, int max,
	    void (*fn)(const struct store_event *event, void *fn_arg),
	    void *fn_arg, struct err *err);
	int64_t (*last_event)(void *arg);
};

#endif
