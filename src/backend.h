#ifndef DROVER_BACKEND_H
#define DROVER_BACKEND_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "daemon.h"

/* Shared by backend*.c only: the answers to the control API. */

static inline void
backend_free_snapshot(struct snapshot **s)
{
	snapshot_free(*s);
}

static inline void
backend_free_arena(struct arena **a)
{
	arena_free(*a);
}

#define cleanup_snapshot cleanup(backend_free_snapshot)
#define cleanup_arena cleanup(backend_free_arena)

/* backend.c: what is not there is said in err. */
const struct settings_host *backend_find_host(
    const struct daemon *d, const char *name, struct err *err);
const struct snap_vm *backend_find_vm(
    const struct snapshot *s, const char *name, struct err *err);
int backend_check_target(
    const struct daemon *d, const char *host, const char *to, struct err *err);
json_t *backend_show_move(void *arg, int64_t id, struct err *err);
void backend_peer_text(const struct control_peer *peer, char *out, size_t size);

/* backend_plan.c: what would be done, and one move */
json_t *backend_plan(void *arg, const char *host,
    const struct control_drain_options *options, struct err *err);
json_t *backend_snapshot(void *arg, struct err *err);
json_t *backend_explain(
    void *arg, const char *name, const char *to, struct err *err);
json_t *backend_move_vm(void *arg, const char *name,
    const struct control_move_options *options, const struct control_peer *peer,
    struct err *err);

/* backend_policy.c: policies, their decisions, and what operators say of them */
json_t *backend_decisions(
    void *arg, const struct control_decision_filter *filter, struct err *err);
json_t *backend_decision(void *arg, int64_t id, struct err *err);
json_t *backend_approve(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err);
json_t *backend_policies(void *arg, struct err *err);
json_t *backend_policy(void *arg, const char *name, struct err *err);
json_t *backend_set_mode(void *arg, const char *name, const char *mode,
    const struct control_peer *peer, struct err *err);
json_t *backend_label(void *arg, const char *name, json_t *changes,
    const struct control_peer *peer, struct err *err);

/* backend_notify.c: receivers, and what is to be delivered to them */
const struct settings_receiver *backend_find_receiver(
    const struct daemon *d, const char *name); /* NULL: none */
/* Says that there is none of this name; returns -1. */
int backend_refuse_receiver(
    const struct daemon *d, const char *name, struct err *err);
/* In the configuration, or with rows: 0 with *out (may be NULL). */
int backend_check_receiver(const struct daemon *d, const char *name,
    struct store_receiver_count *out, struct err *err);
json_t *backend_show_delivery(
    struct daemon *d, int64_t id, bool detail, struct err *err);
/* "answer", printable and without what is secret of the receiver; nothing for
 * NULL or "". */
void backend_set_answer(const struct daemon *d, json_t *o, const char *receiver,
    const char *answer);
json_t *backend_receiver_rows(struct daemon *d, struct err *err);
json_t *backend_receivers(void *arg, struct err *err);
json_t *backend_deliveries(
    void *arg, const struct control_delivery_filter *filter, struct err *err);
json_t *backend_delivery(void *arg, int64_t id, struct err *err);
json_t *backend_attempts(
    void *arg, const struct control_delivery_filter *filter, struct err *err);

/* backend_notify_say.c: what operators say of them */
json_t *backend_delivery_replay(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err);
json_t *backend_delivery_drop(
    void *arg, int64_t id, const struct control_peer *peer, struct err *err);
json_t *backend_receiver_replay(void *arg, const char *name,
    const struct control_peer *peer, struct err *err);
json_t *backend_receiver_drop(void *arg, const char *name, bool dead,
    const struct control_peer *peer, struct err *err);
int backend_receiver_test(void *arg, const char *name, const char *event,
    const struct control_peer *peer, control_done_fn *done, void *done_arg,
    struct err *err);

#endif
