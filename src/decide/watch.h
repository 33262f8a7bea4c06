#ifndef DROVER_DECIDE_WATCH_H
#define DROVER_DECIDE_WATCH_H

#include "base/arena.h"
#include "base/clock.h"
#include "config/settings.h"
#include "decide/look.h"

/*
 * Which conditions of policies are on, and since when: what has to be remembered
 * from one look at the hosts to the next.  A condition is off until its `when`
 * has held for as long as it says, and then on until its `until` holds.  Unknown
 * holds nothing: it breaks off a wait that has begun, and leaves one that is on as
 * it is for WATCH_BLIND_MS.  Pure: the time is given.
 */

#define WATCH_BLIND_MS (5 * 60 * 1000)

struct watch;

struct watch *watch_new(void);
void watch_free(struct watch *watch); /* NULL allowed */

enum watch_phase {
	WATCH_OFF,
	WATCH_PENDING, /* holds, not yet for long enough */
	WATCH_ON
};

/* One condition, of one host or guest or of all. */
struct watch_state {
	enum watch_phase phase;
	struct mono since; /* it holds; of ON: it is on */
	struct wall since_wall;
	/* A policy that takes some guests (select.max, select.until) and not all
	 * has moved one: before this it takes no other, so that it sees what came
	 * of it for as long as `for` says.  ms 0: it may. */
	struct mono quiet_until;
};

/*
 * Looks at everything.  What is remembered of policies, hosts and guests that are
 * not there any more is forgotten.  A reload keeps what it can: conditions are
 * found by the policy's name and the text of the condition.  `modes` as in struct
 * evaluate_input; policies that are off are not looked at.
 */
void watch_look(struct watch *watch, const struct settings *settings,
    const enum policy_mode *modes, const struct snapshot *s, struct mono now,
    struct wall now_wall);

/* When a condition comes on, or may go off, though nothing changes; INT64_MAX. */
struct mono watch_wake(const struct watch *watch);

/* The state of one condition; vm NULL but for POLICY_SUBJECT_VM; host NULL for
 * POLICY_SUBJECT_CLUSTER.  OFF for what was never looked at. */
struct watch_state watch_condition(const struct watch *watch,
    const struct policy *policy, size_t condition, const struct snap_host *host,
    const struct snap_vm *vm);

/* None of its conditions is pending or on, wherever. */
bool watch_is_quiet(const struct watch *watch, const struct policy *policy);

/* One of its conditions speaks of guests: then each guest has its own state. */
bool watch_is_of_guests(const struct policy *policy);

/* All conditions of the policy together, those of guests left out.  `host` NULL:
 * only those of the cluster. */
struct watch_state watch_host(const struct watch *watch,
    const struct policy *policy, const struct snap_host *host);
/* ... of a guest and its host. */
struct watch_state watch_vm(const struct watch *watch,
    const struct policy *policy, const struct snapshot *s,
    const struct snap_vm *vm);

/* The policy has moved a guest of this host, and must see what came of it. */
void watch_acted(
    struct watch *watch, const char *policy, const char *host, struct mono now);

const char *watch_phase_name(enum watch_phase phase); /* "pending" */

#endif
