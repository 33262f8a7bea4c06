#ifndef DROVER_CTL_CTL_H
#define DROVER_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/diag.h"
#include "ctl/args.h"
#include "ctl/http.h"
#include "ctl/text.h"

/*
 * What every command gets, and how commands end.  droverctl has one thread and
 * does one thing.
 */

/* droverctl(1), EXIT STATUS */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_PARTLY = 3,    /* guests remain */
	CTL_NO_DAEMON = 4, /* or not permitted */
	CTL_TIMED_OUT = 5, /* what was started goes on */
	CTL_INVALID = 6,   /* configuration */
	CTL_DETACHED = 130,
};

#define CTL_OUTPUT_MAX (256 * 1024 * 1024)

struct ctl {
	struct args args;
	struct http *http;
	struct style style; /* of stdout */
	bool live;          /* stdout is a terminal that can redraw */
};

/* One command (commands.c names them all); each returns its exit status. */
int ctl_status(struct ctl *ctl);
int ctl_reload(struct ctl *ctl);
int ctl_host_list(struct ctl *ctl);
int ctl_host_show(struct ctl *ctl);
int ctl_host_drain(struct ctl *ctl);
int ctl_host_undrain(struct ctl *ctl);
int ctl_host_cordon(struct ctl *ctl);
int ctl_host_uncordon(struct ctl *ctl);
int ctl_alert_list(struct ctl *ctl);
int ctl_plan_drain(struct ctl *ctl);
int ctl_plan_balance(struct ctl *ctl);
int ctl_explain_name(struct ctl *ctl);
int ctl_vm_list(struct ctl *ctl);
int ctl_vm_show(struct ctl *ctl);
int ctl_vm_move(struct ctl *ctl);
int ctl_vm_label(struct ctl *ctl);
int ctl_decision_list(struct ctl *ctl);
int ctl_decision_show(struct ctl *ctl);
int ctl_policy_list(struct ctl *ctl);
int ctl_policy_explain(struct ctl *ctl);
int ctl_policy_set_mode(struct ctl *ctl);
int ctl_policy_approve(struct ctl *ctl);
int ctl_move_list(struct ctl *ctl);
int ctl_move_show(struct ctl *ctl);
int ctl_move_watch(struct ctl *ctl);
int ctl_move_abort(struct ctl *ctl);
int ctl_snapshot_save(struct ctl *ctl);
int ctl_simulate(struct ctl *ctl);
int ctl_policy_check(struct ctl *ctl);
int ctl_policy_schema(struct ctl *ctl);
int ctl_policy_test(struct ctl *ctl);
int ctl_notify_list(struct ctl *ctl);
int ctl_notify_test(struct ctl *ctl);
int ctl_notify_queue(struct ctl *ctl);
int ctl_notify_show(struct ctl *ctl);
int ctl_notify_replay(struct ctl *ctl);
int ctl_notify_drop(struct ctl *ctl);
int ctl_notify_log(struct ctl *ctl);
int ctl_event_list(struct ctl *ctl);
int ctl_event_follow(struct ctl *ctl);
int ctl_event_types(struct ctl *ctl);
int ctl_event_schema(struct ctl *ctl);
int ctl_event_sample(struct ctl *ctl);

/* ---- output.c ---- */

/* Asks; NULL when that failed, with *out_exit set and the reason said.
 * `body` (or NULL) is taken.  The caller owns the result. */
json_t *ctl_ask(struct ctl *ctl, const char *method, const char *path,
    json_t *body, int *out_exit);

/* Says why `reply` is not what was asked for; returns the exit status. */
int ctl_explain(struct ctl *ctl, const struct http_reply *reply);
int ctl_exit_of(const struct http_reply *reply);

/* GETs `path` and shows it as -o says: as JSON, as the `name` member of each
 * row in `list` (NULL: of the answer itself), or through `render`. */
int ctl_show(struct ctl *ctl, const char *path, const char *list,
    const char *name,
    void (*render)(const json_t *answer, const struct style *style, bool wide,
	struct buf *out));

void ctl_print(struct buf *out);                    /* to stdout; frees it */
void ctl_print_json(const json_t *json);            /* indented, unchanged */
void ctl_say_faults(const struct diag_list *diags); /* each as ctl_say() */
void ctl_say(const char *fmt, ...) /* to stderr, "droverctl: " */
    __attribute__((format(printf, 1, 2)));

/* "/v1/hosts/" + one percent-encoded segment + "/drain", freed by the caller;
 * tail may be "". */
char *ctl_path(const char *head, const char *segment, const char *tail);

#endif
