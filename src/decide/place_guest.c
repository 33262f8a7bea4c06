/*
 * Reasons that lie in the guest and hold for every target.  A guest that is shut
 * off is moved only where that is meant; a paused one is left alone because somebody
 * paused it, and moving it would hide why.  What passes by itself (another
 * program's job, a shutdown under way, a host that is away for a moment) makes
 * the guest wait; the rest is for a person, and says what that person can do.
 */
#include "base/buf.h"
#include "base/units.h"
#include "decide/place_look.h"

#include <string.h>

#define GUEST_PINS_MAX 4096

static const char *
place_words_not_running(const struct place_look *look, bool *out_wait)
{
	const struct snap_vm *vm = look->request->vm;

	switch (vm->state) {
	case DOMAIN_RUNNING:
	case DOMAIN_BLOCKED:
		return NULL;
	case DOMAIN_SHUTDOWN:
		*out_wait = true;
		return "it is shutting down";
	case DOMAIN_SHUTOFF:
		return NULL;
	case DOMAIN_PAUSED:
		return arena_printf(look->arena,
		    "it is paused (%s): resume it "
		    "or shut it down",
		    facts_reason_name(vm->reason));
	case DOMAIN_CRASHED:
		return "it has crashed: destroy it or reset it";
	case DOMAIN_PMSUSPENDED:
		return "it has suspended itself: wake it (virsh dompmwakeup) "
		       "or shut it down";
	case DOMAIN_NOSTATE:
		return "its state is unknown";
	}
	return "its state is unknown";
}

/* A migration of it that is not ours, or that we no longer follow. */
static const char *
place_words_migrating(const struct snap_vm *vm, bool *out_wait)
{
	if (vm->reason == DOMAIN_REASON_POSTCOPY_FAILED)
		return "its post-copy migration broke off, and each side has "
		       "memory that the other lacks: destroy neither, recover "
		       "it "
		       "with virsh migrate --postcopy-resume";
	if (vm->reason == DOMAIN_REASON_POSTCOPY) {
		*out_wait = true;
		return "another program's post-copy migration of it is under "
		       "way";
	}
	if (vm->state != DOMAIN_PAUSED || vm->reason != DOMAIN_REASON_MIGRATION)
		return NULL;
	if (vm->job == DOMAIN_JOB_NONE)
		return "it is paused by a migration that nobody carries on: "
		       "see where else it is before resuming or destroying it";
	*out_wait = true;
	return "another program's migration of it is under way";
}

static bool
place_wants(const struct place_look *look, enum strategy strategy)
{
	const struct strategy_wish *wish = look->request->wish;

	for (size_t i = 0; i < wish->count; i++) {
		if (wish->order[i] == strategy)
			return true;
	}
	return false;
}

/* A guest that is off goes by restart or not at all, and only if it is meant. */
static const char *
place_words_stopped(const struct place_look *look)
{
	const struct snap_vm *vm = look->request->vm;

	if (snapshot_vm_active(vm))
		return NULL;
	if (!look->request->wish->include_stopped)
		return "it is shut off, and the policy leaves such guests "
		       "(select.include_stopped)";
	if (!place_wants(look, STRATEGY_RESTART))
		return "it is shut off, and restart is not among the "
		       "strategies";
	return NULL;
}

/* What pins a running guest keeps it if it may not be restarted either. */
static const char *
place_words_pins(const struct place_look *look)
{
	const struct snap_vm *vm = look->request->vm;
	struct buf buf = BUF_INIT(GUEST_PINS_MAX);
	const char **pins = vm->pins, *text;
	size_t count = vm->pin_count;

	if (place_wants(look, STRATEGY_RESTART) || !snapshot_vm_active(vm)) {
		pins = vm->anchors;
		count = vm->anchor_count;
	}
	if (count == 0)
		return NULL;
	buf_adds(&buf, "pinned to its host by ");
	for (size_t i = 0; i < count; i++)
		buf_addf(&buf, "%s%s", i > 0 ? "; " : "", pins[i]);
	text = arena_strdup(look->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
place_words_given_up(const struct place_look *look)
{
	const struct snapshot *s = look->s;
	const struct snap_attempt *last = NULL;
	int failures = 0;

	if (look->request->retries < 0)
		return NULL;
	for (size_t i = 0; i < s->attempt_count; i++) {
		const struct snap_attempt *attempt = &s->attempts[i];

		if (strcmp(attempt->uuid, look->request->vm->uuid) != 0 ||
		    attempt->failures <= 0)
			continue;
		failures += attempt->failures;
		last = attempt;
	}
	if (last == NULL || failures <= look->request->retries)
		return NULL;
	if (failures >= SNAPSHOT_HOPELESS)
		return arena_printf(look->arena,
		    "given up, another attempt would end the same way; the "
		    "last, to %s: %s",
		    last->to, last->why != NULL ? last->why : "failed");
	return arena_printf(look->arena,
	    "given up after %d attempt%s; the "
	    "last, to %s: %s",
	    failures, failures == 1 ? "" : "s", last->to,
	    last->why != NULL ? last->why : "failed");
}

/* The source must answer, else nothing can be asked of it. */
static const char *
place_words_source(const struct place_look *look)
{
	const struct snap_host *source = look->source;
	char text[UNITS_TEXT_SIZE];

	if (!source->up)
		return arena_printf(look->arena,
		    "its host %s is not connected"
		    "%s%s",
		    source->name, source->down_why != NULL ? ": " : "",
		    source->down_why != NULL ? source->down_why : "");
	if (source->silent_ms >= PLACE_SILENT_MS) {
		units_format_duration(source->silent_ms, text);
		return arena_printf(look->arena,
		    "its host %s has not answered "
		    "for %s",
		    source->name, text);
	}
	return NULL;
}

enum place_guest_rule
place_check_guest(
    const struct place_look *look, bool *out_wait, const char **out_why)
{
	const struct snap_vm *vm = look->request->vm;

	*out_wait = false;
	*out_why = place_words_source(look);
	if (*out_why != NULL) {
		*out_wait = true;
		return PLACE_GUEST_BUSY;
	}
	*out_why = place_words_claim(look->arena, look->source);
	if (*out_why != NULL) {
		*out_wait = look->source->claimed_by == NULL;
		*out_why = arena_printf(
		    look->arena, "%s: %s", look->source->name, *out_why);
		return PLACE_GUEST_CLAIMED;
	}
	*out_why = place_words_migrating(vm, out_wait);
	if (*out_why != NULL)
		return *out_wait ? PLACE_GUEST_BUSY : PLACE_GUEST_NOT_RUNNING;
	*out_why = place_words_not_running(look, out_wait);
	if (*out_why != NULL)
		return PLACE_GUEST_NOT_RUNNING;
	*out_why = place_words_stopped(look);
	if (*out_why != NULL)
		return PLACE_GUEST_STOPPED;
	*out_why = place_words_pins(look);
	if (*out_why != NULL)
		return PLACE_GUEST_PINNED;
	*out_why = place_words_given_up(look);
	if (*out_why != NULL)
		return PLACE_GUEST_GIVEN_UP;
	if (vm->job == DOMAIN_JOB_ACTIVE) {
		*out_wait = true;
		*out_why = "another job holds it (a backup, a dump or another "
			   "program's migration)";
		return PLACE_GUEST_BUSY;
	}
	return PLACE_GUEST_OK;
}

const char *
place_guest_rule_name(enum place_guest_rule rule)
{
	switch (rule) {
	case PLACE_GUEST_OK:
		return "ok";
	case PLACE_GUEST_NOT_RUNNING:
		return "not-running";
	case PLACE_GUEST_STOPPED:
		return "stopped";
	case PLACE_GUEST_PINNED:
		return "pinned";
	case PLACE_GUEST_BUSY:
		return "busy";
	case PLACE_GUEST_CLAIMED:
		return "host-claimed";
	case PLACE_GUEST_GIVEN_UP:
		return "given-up";
	}
	return "ok";
}
