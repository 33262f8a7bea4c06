/*
 * A drain for whoever reads line by line: a log, a pipe, a CI job.  Each change
 * is one line that stands by itself, so that the last lines of a log tell how
 * it ended; nothing is said twice.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/render.h"

static bool
has_fate(const json_t *vm, const char *fate)
{
	return strcmp(field_text_or(vm, "fate", ""), fate) == 0;
}

static const json_t *
find_vm(const json_t *drain, const json_t *vm)
{
	const char *uuid = field_text(vm, "uuid");
	const json_t *other;
	size_t i;

	if (uuid == NULL)
		return NULL;
	json_array_foreach(json_object_get(drain, "vms"), i,
	    other) if (strcmp(field_text_or(other, "uuid", ""), uuid) ==
	    0) return other;
	return NULL;
}

static void
start_line(const json_t *vm, struct buf *out)
{
	text_add(out, field_text_or(vm, "vm", "-"));
	buf_adds(out, ": ");
}

static void
add_why(const char *before, const char *why, struct buf *out)
{
	if (why != NULL && why[0] != '\0') {
		buf_adds(out, before);
		text_add(out, why);
	}
}

void
render_refused(const json_t *strategies, const char *indent, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(strategies, i, one)
	{
		buf_adds(out, indent);
		text_add(out, field_text_or(one, "strategy", "-"));
		add_why(": ", field_text(one, "rule"), out);
		add_why(": ", field_text(one, "why"), out);
		buf_adds(out, "\n");
	}
}

void
render_rejected(const json_t *rejected, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(rejected, i, one)
	{
		const char *rule = field_text(one, "rule");

		/* That it is where it is needs no reason. */
		if (rule != NULL && strcmp(rule, "same-host") == 0)
			continue;
		buf_adds(out, "    ");
		text_add(out, field_text_or(one, "host", "-"));
		add_why(": ", rule, out);
		add_why(": ", field_text(one, "why"), out);
		buf_adds(out, "\n");
		render_refused(
		    json_object_get(one, "strategies"), "        ", out);
	}
}

static void
add_blocked(const json_t *vm, struct buf *out)
{
	start_line(vm, out);
	buf_adds(out, "blocked");
	add_why(": ", field_text(vm, "why"), out);
	buf_adds(out, "\n");
	render_rejected(json_object_get(vm, "rejected"), out);
}

static void
add_moved(const json_t *vm, struct buf *out)
{
	const json_t *move = json_object_get(vm, "move");
	const json_t *result = json_object_get(move, "result");
	int64_t duration = field_int(move, "duration_ms");
	int64_t downtime = field_int(result, "downtime_ms");
	int64_t bytes = field_int(result, "bytes");
	char text[TEXT_SIZE];

	start_line(vm, out);
	buf_adds(out, "moved to ");
	text_add(out, field_text_or(vm, "to", "another host"));
	if (duration != FIELD_UNKNOWN)
		buf_addf(out, " in %s", text_duration(duration, text));
	if (downtime != FIELD_UNKNOWN)
		buf_addf(out, ", downtime %s", text_duration(downtime, text));
	if (bytes != FIELD_UNKNOWN)
		buf_addf(out, ", %s", text_bytes(bytes, text));
	buf_adds(out, "\n");
}

static void
add_moving(const json_t *vm, struct buf *out)
{
	const json_t *move = json_object_get(vm, "move");
	const char *strategy = field_text(vm, "strategy");
	int64_t attempt = field_int(move, "attempt");

	if (strategy == NULL)
		strategy = field_text(move, "strategy");
	start_line(vm, out);
	buf_adds(out, "moving to ");
	text_add(out, field_text_or(vm, "to", "another host"));
	if (strategy != NULL) {
		buf_adds(out, " (");
		text_add(out, strategy);
		buf_adds(out, ")");
	}
	if (attempt > 1)
		buf_addf(out, ", attempt %lld", (long long)attempt);
	buf_adds(out, "\n");
}

/* An attempt that did not succeed; `vm` is what became of the guest. */
static void
add_failed(const json_t *vm, struct buf *out)
{
	const json_t *move = json_object_get(vm, "move");

	start_line(vm, out);
	buf_adds(out, "did not move");
	add_why(" to ", field_text(move, "to"), out);
	add_why(": ", field_text(move, "error"), out);
	add_why("; ", field_text(move, "remedy"), out);
	if (has_fate(vm, "waiting"))
		buf_adds(out, " (will be tried again)");
	buf_adds(out, "\n");
}

static int64_t
move_id(const json_t *vm)
{
	return field_int(json_object_get(vm, "move"), "id");
}

/* The steps of a move that has several, as they come: those during which the
 * guest, or its disks, are somewhere else than before. */
static void
add_phase(const json_t *old, const json_t *vm, struct buf *out)
{
	static const char *const told[] = {"copying disks", "copying the rest",
	    "shutting down", "starting", "merging", "going back", "post-copy",
	    "paused"};
	const json_t *move = json_object_get(vm, "move");
	char now[64], before[64] = "";

	if (strcmp(field_text_or(move, "strategy", "live-shared"),
		"live-shared") == 0)
		return;
	render_phase(move, now, sizeof(now));
	if (old != NULL && has_fate(old, "moving"))
		render_phase(
		    json_object_get(old, "move"), before, sizeof(before));
	if (strcmp(now, before) == 0)
		return;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (strncmp(now, told[i], strlen(told[i])) == 0) {
			start_line(vm, out);
			buf_addf(out, "%s\n", now);
			return;
		}
}

/* A move that stands still (a host does not answer, say) has a reason; it is
 * said when it comes up, and not each time that its figures change. */
static void
add_hold(const json_t *old, const json_t *vm, struct buf *out)
{
	const char *why = field_text(vm, "why");

	if (why == NULL ||
	    (old != NULL && has_fate(old, "moving") &&
		field_text(old, "why") != NULL))
		return;
	start_line(vm, out);
	buf_adds(out, "still moving");
	add_why(": ", why, out);
	buf_adds(out, "\n");
}

static void
add_change(const json_t *old, const json_t *vm, struct buf *out)
{
	const char *fate = field_text_or(vm, "fate", "");
	bool same = old != NULL && has_fate(old, fate);
	const char *outcome =
	    field_text(json_object_get(vm, "move"), "outcome");
	bool failed = outcome != NULL && strcmp(outcome, "completed") != 0;

	/* An attempt that ended badly since, whether or not one was seen
	 * under way. */
	if (old == NULL)
		failed = has_fate(vm, "failed");
	else if (move_id(vm) == move_id(old) &&
	    field_text(json_object_get(old, "move"), "outcome") != NULL)
		failed = false;
	if (failed)
		add_failed(vm, out);
	if (has_fate(vm, "moved") && !same)
		add_moved(vm, out);
	else if (has_fate(vm, "moving") &&
	    (!same || move_id(vm) != move_id(old)))
		add_moving(vm, out);
	else if (has_fate(vm, "blocked") && !same)
		add_blocked(vm, out);
	if (has_fate(vm, "moving")) {
		add_phase(move_id(vm) == (old != NULL ? move_id(old) : -1)
			? old
			: NULL,
		    vm, out);
		add_hold(old, vm, out);
	}
	if (has_fate(vm, "excepted") && !same) {
		start_line(vm, out);
		buf_adds(out, "stays");
		add_why(": ", field_text(vm, "why"), out);
		buf_adds(out, "\n");
	} else if (has_fate(vm, "gone") && !same) {
		start_line(vm, out);
		buf_adds(out, "is gone from the host");
		add_why(": ", field_text(vm, "why"), out);
		buf_adds(out, "\n");
	}
}

static void
add_headline(const json_t *drain, struct buf *out)
{
	const char *host = field_text(drain, "host");
	int64_t moved = field_count(drain, "moved");
	char text[TEXT_SIZE];

	if (host == NULL)
		return;
	text_add(out, host);
	buf_addf(out, ": draining: %s",
	    text_plural(field_count(drain, "total"), "guest", text));
	if (moved > 0)
		buf_addf(out, ", %lld moved already", (long long)moved);
	buf_adds(out, "\n");
}

void
render_drain_changes(const json_t *before, const json_t *now, struct buf *out)
{
	const json_t *vm;
	size_t i;

	const char *why = field_text(now, "why");

	if (before == NULL)
		add_headline(now, out);
	if (why != NULL && field_text(before, "why") == NULL) {
		text_add(out, field_text_or(now, "host", "-"));
		add_why(": ", why, out);
		buf_adds(out, "\n");
	}
	json_array_foreach(json_object_get(now, "vms"), i, vm)
	{
		/* What had happened before one looked is no news. */
		if (before == NULL && field_count(now, "moved") > 0 &&
		    has_fate(vm, "moved") && field_text(now, "host") != NULL)
			continue;
		add_change(find_vm(before, vm), vm, out);
	}
}

int64_t
render_drain_remaining(const json_t *drain)
{
	const json_t *vms = json_object_get(drain, "vms"), *vm;
	int64_t remaining = 0;
	size_t i;

	if (vms == NULL)
		return field_count(drain, "moving") +
		    field_count(drain, "waiting") +
		    field_count(drain, "blocked");
	json_array_foreach(vms, i, vm) remaining += has_fate(vm, "moving") ||
	    has_fate(vm, "waiting") || has_fate(vm, "blocked");
	return remaining;
}

static int64_t
count_fate(const json_t *drain, const char *fate)
{
	const json_t *vm;
	int64_t count = 0;
	size_t i;

	json_array_foreach(json_object_get(drain, "vms"), i, vm) count +=
	    has_fate(vm, fate);
	return count;
}

void
render_drain_summary(
    const json_t *drain, const struct style *style, struct buf *out)
{
	const char *state = field_text_or(drain, "state", "running");
	const char *word = "draining";
	enum text_colour colour = TEXT_YELLOW;
	int64_t remaining = render_drain_remaining(drain);
	int64_t excepted = count_fate(drain, "excepted");
	int64_t failed = field_count(drain, "failed");
	int64_t duration = field_int(drain, "duration_ms");
	char text[TEXT_SIZE];

	if (strcmp(state, "done") == 0) {
		word = "drained";
		colour = TEXT_GREEN;
	} else if (strcmp(state, "blocked") == 0) {
		word = "blocked";
		colour = TEXT_RED;
	} else if (strcmp(state, "cancelled") == 0) {
		word = "cancelled";
	}
	text_add(out, field_text_or(drain, "host", "-"));
	buf_adds(out, ": ");
	text_colour_on(out, style, colour);
	buf_adds(out, word);
	text_colour_off(out, style, colour);
	buf_addf(out, ": %lld moved, %lld remain%s",
	    (long long)field_count(drain, "moved"), (long long)remaining,
	    remaining == 1 ? "s" : "");
	if (excepted > 0)
		buf_addf(
		    out, ", %lld left alone by policy", (long long)excepted);
	if (failed > 0)
		buf_addf(
		    out, ", %s failed", text_plural(failed, "attempt", text));
	if (duration != FIELD_UNKNOWN)
		buf_addf(out, ", %s", text_duration(duration, text));
	buf_adds(out, "\n");
}

void
render_drain_blocked(const json_t *before, const json_t *drain,
    const struct style *style, struct buf *out)
{
	const json_t *vm;
	size_t i;

	(void)style;
	json_array_foreach(json_object_get(drain, "vms"), i, vm)
	{
		const json_t *old = find_vm(before, vm);

		if (!has_fate(vm, "blocked"))
			continue;
		if (old != NULL && has_fate(old, "blocked") &&
		    json_equal(json_object_get(old, "rejected"),
			json_object_get(vm, "rejected")) &&
		    json_equal(json_object_get(old, "why"),
			json_object_get(vm, "why")))
			continue;
		add_blocked(vm, out);
	}
}

json_t *
render_moves_as_drain(const json_t *moves)
{
	json_t *vms = json_array(), *vm, *move;
	bool running = false;
	char key[32];
	size_t i;

	json_array_foreach(moves, i, move)
	{
		const char *outcome = field_text(move, "outcome");
		const char *fate = "failed";

		if (outcome == NULL)
			fate = "moving";
		else if (strcmp(outcome, "completed") == 0)
			fate = "moved";
		running = running || outcome == NULL;
		vm = json_pack("{s:s, s:O}", "fate", fate, "move", move);
		json_object_set(vm, "vm", json_object_get(move, "vm"));
		/* Each move is a thing of its own here, not each guest. */
		snprintf(key, sizeof(key), "move %lld",
		    (long long)field_int(move, "id"));
		json_object_set_new(vm, "uuid", json_string(key));
		json_object_set(vm, "to", json_object_get(move, "to"));
		json_object_set(
		    vm, "strategy", json_object_get(move, "strategy"));
		json_array_append_new(vms, vm);
	}
	return json_pack(
	    "{s:s, s:o}", "state", running ? "running" : "done", "vms", vms);
}
