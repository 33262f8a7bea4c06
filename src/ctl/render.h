#ifndef DROVER_CTL_RENDER_H
#define DROVER_CTL_RENDER_H

#include <jansson.h>

#include "base/buf.h"
#include "ctl/text.h"

/*
 * The daemon's answers (control/backend.h) as text.  Pure: no terminal, no
 * clock, no socket.  Unknown members show as "-".
 */

void render_status(const json_t *status, const struct style *style, bool wide,
    struct buf *out);
void render_hosts(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_host(
    const json_t *host, const struct style *style, bool wide, struct buf *out);
void render_vms(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_vm(
    const json_t *vm, const struct style *style, bool wide, struct buf *out);
void render_moves(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_move(
    const json_t *move, const struct style *style, bool wide, struct buf *out);
void render_plan(
    const json_t *plan, const struct style *style, bool wide, struct buf *out);
/* What `vm move --dry-run` says. */
void render_move_plan(
    const json_t *plan, const struct style *style, bool wide, struct buf *out);
/* What `explain` says of a guest, or of a host and its guests. */
void render_explain(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
/* Decisions (act/decisions.h, with detail as `decision show` gets it). */
void render_decisions(const json_t *answer, const struct style *style,
    bool wide, struct buf *out);
void render_decision(const json_t *decision, const struct style *style,
    bool wide, struct buf *out);
void render_policies(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_policy(const json_t *policy, const struct style *style, bool wide,
    struct buf *out);
/* One line about a change: "drain: mode observe (file: auto)", "decision 7
 * (drain, kvm1): approved by uid 0; 2 start", "web1: app=web tier=front". */
void render_mode_change(const json_t *policy, struct buf *out);
void render_approval(const json_t *decision, struct buf *out);
void render_labels(const json_t *vm, struct buf *out);
/* What `simulate` says: the answer of plan/write.h, with makespan_ms, with
 * the host that is "drained" or else the least "min_gain", and with --score the
 * parts of the objective; and those alone. */
void render_simulation(const json_t *result, const struct style *style,
    bool wide, struct buf *out);
/* What policies would do (trial/simulate.h). */
void render_playing(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_score(
    const json_t *score, const struct style *style, bool wide, struct buf *out);
/* Receivers, deliveries and attempts, as `notify` shows them. */
void render_receivers(const json_t *answer, const struct style *style,
    bool wide, struct buf *out);
void render_deliveries(const json_t *answer, const struct style *style,
    bool wide, struct buf *out);
void render_delivery(
    const json_t *d, const struct style *style, bool wide, struct buf *out);
void render_attempts(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
/* What came of replay, drop and test: a line. */
void render_replayed(const json_t *answer, struct buf *out);
void render_dropped(const json_t *answer, struct buf *out);
void render_test(const json_t *answer, struct buf *out);
/* "ops (cloudevents): ok", or what is wrong and what shows more. */
bool render_receiver_is_fine(const json_t *receiver);
void render_receiver_line(const json_t *receiver, struct buf *out);
/* One CloudEvent as one line, and {events: [{seq, event}]} as several. */
void render_event(
    const json_t *event, const struct style *style, struct buf *out);
void render_events(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);

/* "key   value" lines of the show commands. */
void render_field(const char *key, const char *value, struct buf *out);
/* "home   wants to go home to kvm1: ..."; nothing for NULL. */
void render_home(const json_t *home, struct buf *out);
/* "    kvm2: memory: ..." for each host that was rejected, and below it the
 * strategies with the reason of each. */
void render_rejected(const json_t *rejected, struct buf *out);
void render_refused(
    const json_t *strategies, const char *indent, struct buf *out);

/* What a move does now: "pre-copy", "shutting down (asked 2 times)". */
const char *render_phase(const json_t *move, char *out, size_t size);

/* {alerts: []}, and those of one host (nothing when there are none). */
void render_alerts(const json_t *answer, const struct style *style, bool wide,
    struct buf *out);
void render_host_alerts(
    const json_t *alerts, const struct style *style, struct buf *out);

/* Cores' worth of load ("1.7"), or "-". */
const char *render_cores(const json_t *object, char out[TEXT_SIZE]);
/* Adds "25 % cpu", a fraction times a factor, after what is in the line already;
 * nothing when it is unknown. */
void render_part(const json_t *object, const char *key, double factor,
    const char *of, struct buf *line);

/* ---- drains: what changed, and how it ended (render_drain.c) ---- */

/*
 * A drain as control/backend.h has it.  Moves that are no drain's are shown as
 * a drain too: {vms: [drain_vm]} without host (see render_moves_as_drain).
 * before NULL: the first that is seen.
 */
void render_drain_changes(
    const json_t *before, const json_t *now, struct buf *out);
/* "kvm1: drained: 3 moved, 0 remain, 5.2 s" */
/* What a drain, or a plan of one, comes to: its "outlook" in lines. */
void render_outlook(
    const json_t *drain, const struct style *style, struct buf *out);
void render_drain_summary(
    const json_t *drain, const struct style *style, struct buf *out);
/* Each guest that is blocked, with the reason per host.  `before` (NULL: none)
 * leaves out what that one said already. */
void render_drain_blocked(const json_t *before, const json_t *drain,
    const struct style *style, struct buf *out);
/* How many guests are on the host still, not counting excepted ones. */
int64_t render_drain_remaining(const json_t *drain);
/* moves: [move]; the caller owns the result. */
json_t *render_moves_as_drain(const json_t *moves);

/* ---- progress (render_progress.c) ---- */

/* What bars have shown, so that none runs backwards.  A new attempt is a new
 * bar. */
struct progress;
struct progress *progress_new(void);
void progress_free(struct progress *progress);

/*
 * The frame: per drain its guests and a total line (not for a drain without
 * host), cut to style->width and to fewer rows than style->height: what moves
 * comes first, and the last line of a drain says how many are not shown.
 * elapsed_ms: shown when the drain does not say.  notice: a last line; NULL.
 */
void progress_render(struct progress *progress, const json_t *drains,
    int64_t elapsed_ms, const char *notice, const struct style *style,
    struct buf *out);

#endif
