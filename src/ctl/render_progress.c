/*
 * A drain on a terminal: one line per guest, redrawn in place.
 *
 *   web1  pre-copy  ━━━━━━━━━━━━━━╸       62%  312.0 MiB/s  4.2 s left  kvm2
 *   db1   pre-copy  ━━━━━╸                24%  118.4 MiB/s  not converging  kvm3
 *   web2  moved in 1.2 s, downtime 64 ms, 190.0 MiB  kvm2
 *   kvm1  1 of 3 moved, 2 moving  ━━━━━━━━━━╸  62%  430.4 MiB/s  5.2 s
 *
 * Parts of a line are dropped when the window is too narrow for them, the bar
 * last; a line never wraps, since the next frame has to find its place.  In the
 * same way there are never more lines than rows: what moves is shown first, and
 * a line says how many are not.
 *
 * A bar shows the largest share that was ever reported for its move.  Memory is
 * sent again when a guest writes to it, so the share that is left can grow; a
 * bar that ran backwards would say less than the rate and the word beside it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "ctl/field.h"
#include "ctl/render.h"

#define BAR_MOST 30
#define BAR_LEAST 5
#define NAME_MOST 24
#define ROWS_MOST 1000

struct progress {
	struct map *shown;
};

enum rank {
	RANK_MOVING,
	RANK_BLOCKED,
	RANK_WAITING,
	RANK_MOVED,
	RANK_OTHER,
	RANK_COUNT
};

struct progress *
progress_new(void)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (progress == NULL)
		abort();
	progress->shown = map_new(free);
	return progress;
}

void
progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	map_free(progress->shown);
	free(progress);
}

/* The largest share of `key` so far. */
static double
keep_largest(struct progress *progress, const char *key, double percent)
{
	double *shown = map_get(progress->shown, key);

	if (!(percent >= 0))
		percent = 0;
	if (percent > 100)
		percent = 100;
	if (shown == NULL) {
		shown = malloc(sizeof(*shown));
		if (shown == NULL)
			abort();
		*shown = percent;
		map_set(progress->shown, key, shown);
	} else if (percent > *shown) {
		*shown = percent;
	}
	return *shown;
}

static enum rank
rank_of(const json_t *vm)
{
	static const char *const fates[] = {
	    "moving", "blocked", "waiting", "moved"};
	const char *fate = field_text_or(vm, "fate", "");

	for (int i = 0; i < RANK_OTHER; i++)
		if (strcmp(fate, fates[i]) == 0)
			return (enum rank)i;
	return RANK_OTHER;
}

static double
share_of(struct progress *progress, const json_t *vm)
{
	const json_t *move = json_object_get(vm, "move");
	const json_t *value =
	    json_object_get(json_object_get(move, "progress"), "percent");
	char key[128];

	if (rank_of(vm) == RANK_MOVED)
		return 100;
	if (rank_of(vm) != RANK_MOVING)
		return 0;
	snprintf(key, sizeof(key), "%s#%lld", field_text_or(vm, "uuid", ""),
	    (long long)field_int(move, "id"));
	return keep_largest(progress, key, json_number_value(value));
}

static void
add_bar(double percent, size_t columns, const struct style *style,
    enum text_colour colour, struct buf *out)
{
	size_t full = (size_t)(percent / 100 * (double)columns * 2 + 0.001);

	text_colour_on(out, style, colour);
	for (size_t i = 0; i < full / 2; i++)
		buf_adds(out, style->utf8 ? "━" : "#");
	if (full % 2 == 1)
		buf_adds(out, style->utf8 ? "╸" : "-");
	text_colour_off(out, style, colour);
	text_colour_on(out, style, TEXT_DIM);
	for (size_t i = (full + 1) / 2; i < columns; i++)
		buf_adds(out, style->utf8 ? "·" : ".");
	text_colour_off(out, style, TEXT_DIM);
}

/* The parts of one line, left to right; "" is absent. */
struct line {
	char name[256];
	char mode[160];
	double percent;
	char rate[TEXT_SIZE];
	char left[TEXT_SIZE];
	char target[512];
	bool no_figures; /* the target's room is for words */
	enum text_colour colour;
};

static void
add_part(
    const char *text, size_t width, const struct style *style, struct buf *out)
{
	size_t used = text_width(text);

	text_add_cut(out, text, width, style->utf8);
	if (used < width)
		text_add_spaces(out, width - used);
}

/* How many columns each part of a line gets; 0: it is left out. */
struct layout {
	size_t name, mode, bar, rate, left, target;
};

/* What is given up first: the rate, the target, what is left, the bar. */
static struct layout
lay_out(const struct line *line, size_t name_width, size_t mode_width,
    const struct style *style)
{
	size_t room = style->width > 1 ? (size_t)style->width - 1 : 200;
	size_t fixed = name_width + 2 + 2 + 4, target, least;
	struct layout to = {name_width, mode_width, 0, 12, 14, 0};

	if (room < fixed) {
		to = (struct layout){.name = room > 6 ? room - 6 : 0};
		return to;
	}
	if (to.mode > room - fixed)
		to.mode = room - fixed;
	fixed += to.mode;
	least = fixed + 2 + BAR_LEAST;
	target = text_width(line->target);
	to.target = target > 0 ? target + 2 : 0;
	if (line->no_figures) {
		to.rate = 0;
		to.left = 0;
		if (room < least + to.target)
			to.target = room > least + 12 ? room - least : 0;
	}
	if (to.rate > 0 && room < least + to.rate + to.left + 4 + to.target)
		to.rate = 0;
	if (to.left > 0 && room < least + to.left + 2 + to.target)
		to.target = 0;
	if (room < least + to.left + 2)
		to.left = 0;
	fixed += (to.rate > 0 ? to.rate + 2 : 0) +
	    (to.left > 0 ? to.left + 2 : 0) + to.target;
	to.bar = room > fixed + 2 ? room - fixed - 2 : 0;
	if (to.bar > BAR_MOST)
		to.bar = BAR_MOST;
	if (to.bar < BAR_LEAST)
		to.bar = 0;
	return to;
}

static void
add_bar_line(const struct line *line, size_t name_width, size_t mode_width,
    const struct style *style, struct buf *out)
{
	struct layout to = lay_out(line, name_width, mode_width, style);
	size_t used = strlen(line->rate);

	add_part(line->name, to.name, style, out);
	text_add_spaces(out, 2);
	if (to.mode > 0) {
		add_part(line->mode, to.mode, style, out);
		text_add_spaces(out, 2);
	}
	if (to.bar > 0) {
		add_bar(line->percent, to.bar, style, line->colour, out);
		text_add_spaces(out, 2);
	}
	buf_addf(out, "%3d%%", (int)line->percent);
	if (to.rate > 0) {
		text_add_spaces(out, 2 + (used < to.rate ? to.rate - used : 0));
		buf_adds(out, line->rate);
	}
	if (to.left > 0) {
		text_add_spaces(out, 2);
		add_part(line->left, to.left, style, out);
	}
	if (to.target > 0) {
		text_add_spaces(out, 2);
		text_add_cut(out, line->target, to.target - 2, style->utf8);
	}
	buf_adds(out, "\n");
}

static void
add_moving_line(struct progress *progress, const json_t *vm, size_t name_width,
    const struct style *style, struct buf *out)
{
	const json_t *move = json_object_get(vm, "move");
	const json_t *now = json_object_get(move, "progress");
	int64_t eta = field_int(now, "eta_ms");
	const char *why = field_text(vm, "why");
	const char *to = field_text_or(vm, "to", field_text_or(move, "to", ""));
	struct line line = {
	    .percent = share_of(progress, vm), .colour = TEXT_GREEN};
	char text[TEXT_SIZE];

	snprintf(
	    line.name, sizeof(line.name), "%s", field_text_or(vm, "vm", "-"));
	snprintf(line.mode, sizeof(line.mode), "%s",
	    field_text_or(
		now, "phase", field_text_or(move, "state", "starting")));
	if (field_int(now, "rate") != FIELD_UNKNOWN)
		text_rate(field_int(now, "rate"), line.rate);
	if (json_is_false(json_object_get(now, "converging"))) {
		strcpy(line.left, "not converging");
		line.colour = TEXT_YELLOW;
	} else if (eta != FIELD_UNKNOWN) {
		snprintf(line.left, sizeof(line.left), "%s left",
		    text_duration(eta, text));
	}
	snprintf(line.target, sizeof(line.target), "%s%s%s%s",
	    style->utf8 ? "→ " : "> ", to, why != NULL ? "  " : "",
	    why != NULL ? why : "");
	line.no_figures = why != NULL;
	add_bar_line(&line, name_width, 10, style, out);
}

/* What is not moving says in words how it is. */
static void
add_still_line(const json_t *vm, size_t name_width, const struct style *style,
    struct buf *out)
{
	static const enum text_colour colours[] = {
	    TEXT_PLAIN, TEXT_RED, TEXT_DIM, TEXT_GREEN, TEXT_DIM};
	const json_t *move = json_object_get(vm, "move");
	const json_t *result = json_object_get(move, "result");
	enum rank rank = rank_of(vm);
	const char *why = field_text(vm, "why");
	struct buf words = BUF_INIT(4096);
	char text[TEXT_SIZE];
	size_t room;

	if (rank == RANK_MOVED) {
		buf_addf(&words, "moved to %s",
		    field_text_or(
			vm, "to", field_text_or(move, "to", "another host")));
		if (field_int(move, "duration_ms") != FIELD_UNKNOWN)
			buf_addf(&words, " in %s",
			    text_duration(
				field_int(move, "duration_ms"), text));
		if (field_int(result, "downtime_ms") != FIELD_UNKNOWN)
			buf_addf(&words, ", downtime %s",
			    text_duration(
				field_int(result, "downtime_ms"), text));
		if (field_int(result, "bytes") != FIELD_UNKNOWN)
			buf_addf(&words, ", %s",
			    text_bytes(field_int(result, "bytes"), text));
	} else {
		buf_adds(&words, field_text_or(vm, "fate", "unknown"));
		if (why == NULL)
			why = field_text(move, "error");
		if (why != NULL)
			buf_addf(&words, ": %s", why);
	}
	room = style->width > 0 ? (size_t)style->width - 1 : 200;
	room = room > name_width + 2 ? room - name_width - 2 : 0;
	add_part(field_text_or(vm, "vm", "-"), name_width, style, out);
	text_add_spaces(out, 2);
	text_colour_on(out, style, colours[rank]);
	text_add_cut(out, buf_str(&words), room, style->utf8);
	text_colour_off(out, style, colours[rank]);
	buf_adds(out, "\n");
	buf_free(&words);
}

static void
add_guest(struct progress *progress, const json_t *vm, size_t name_width,
    const struct style *style, struct buf *out)
{
	if (rank_of(vm) == RANK_MOVING)
		add_moving_line(progress, vm, name_width, style, out);
	else
		add_still_line(vm, name_width, style, out);
}

/* "… 34 more waiting, 2 moved" */
static void
add_more(const size_t *hidden, const struct style *style, struct buf *out)
{
	static const char *const words[] = {
	    "moving", "blocked", "waiting", "moved", "other"};
	static const enum rank order[] = {
	    RANK_WAITING, RANK_MOVING, RANK_BLOCKED, RANK_MOVED, RANK_OTHER};
	struct buf text = BUF_INIT(512);
	bool first = true;

	for (size_t i = 0; i < RANK_COUNT; i++) {
		if (hidden[order[i]] == 0)
			continue;
		buf_addf(&text, "%s%zu%s %s", first ? "" : ", ",
		    hidden[order[i]], first ? " more" : "", words[order[i]]);
		first = false;
	}
	buf_adds(out, style->utf8 ? "… " : "... ");
	text_add_cut(out, buf_str(&text),
	    style->width > 5 ? (size_t)style->width - 5 : 200, style->utf8);
	buf_adds(out, "\n");
	buf_free(&text);
}

/* At most `rows` lines: all guests in their order, or those that matter most
 * and a line about the rest. */
static void
add_guests(struct progress *progress, const json_t *drain, size_t rows,
    size_t name_width, const struct style *style, struct buf *out)
{
	const json_t *vms = json_object_get(drain, "vms"), *vm;
	size_t hidden[RANK_COUNT] = {0}, used = 0, i;
	bool all = json_array_size(vms) <= rows;

	for (int rank = 0; rank < RANK_COUNT; rank++) {
		json_array_foreach(vms, i, vm)
		{
			if (!all && (int)rank_of(vm) != rank)
				continue;
			if (!all && used + 1 >= rows) {
				hidden[rank_of(vm)]++;
				/* Its bar goes on meanwhile. */
				share_of(progress, vm);
				continue;
			}
			add_guest(progress, vm, name_width, style, out);
			used++;
		}
		if (all)
			return;
	}
	if (rows > 0)
		add_more(hidden, style, out);
}

static void
add_total(struct progress *progress, const json_t *drain, int64_t elapsed_ms,
    size_t name_width, const struct style *style, struct buf *out)
{
	static const char *const words[] = {"moving", "blocked", "waiting"};
	const json_t *vms = json_object_get(drain, "vms"), *vm;
	size_t counts[RANK_COUNT] = {0}, total = 0, i;
	const char *host = field_text_or(drain, "host", "-");
	int64_t duration = field_int(drain, "duration_ms"), rate = 0;
	struct line line = {.colour = TEXT_GREEN};
	double sum = 0;
	char key[300];
	int used;

	json_array_foreach(vms, i, vm)
	{
		int64_t r = field_count(
		    json_object_get(json_object_get(vm, "move"), "progress"),
		    "rate");

		counts[rank_of(vm)]++;
		sum += share_of(progress, vm);
		if (rank_of(vm) == RANK_MOVING)
			rate += r;
	}
	total = json_array_size(vms) - counts[RANK_OTHER];
	snprintf(key, sizeof(key), "host:%s", host);
	if (total == 0)
		sum = strcmp(field_text_or(drain, "state", ""), "done") == 0
		    ? 100
		    : 0;
	line.percent =
	    keep_largest(progress, key, total > 0 ? sum / (double)total : sum);
	snprintf(line.name, sizeof(line.name), "%s", host);
	used = snprintf(line.mode, sizeof(line.mode), "%zu of %zu moved",
	    counts[RANK_MOVED], total);
	for (size_t r = 0; r < 3; r++)
		if (counts[r] > 0)
			used += snprintf(line.mode + used,
			    sizeof(line.mode) - (size_t)used, ", %zu %s",
			    counts[r], words[r]);
	if (rate > 0)
		text_rate(rate, line.rate);
	text_duration(
	    duration != FIELD_UNKNOWN ? duration : elapsed_ms, line.left);
	add_bar_line(&line, name_width, text_width(line.mode), style, out);
}

static size_t
widest_name(const json_t *drains, const struct style *style)
{
	size_t widest = 4, most = NAME_MOST, i, k;
	const json_t *drain, *vm;

	if (style->width > 0 && (size_t)style->width / 4 < most)
		most = (size_t)style->width / 4;
	json_array_foreach(drains, i, drain)
	{
		size_t width = text_width(field_text_or(drain, "host", ""));

		widest = width > widest ? width : widest;
		json_array_foreach(json_object_get(drain, "vms"), k, vm)
		{
			width = text_width(field_text_or(vm, "vm", "-"));
			widest = width > widest ? width : widest;
		}
	}
	return widest < most ? widest : most;
}

/* Rows that a drain would fill. */
static size_t
rows_wanted(const json_t *drain)
{
	return json_array_size(json_object_get(drain, "vms")) +
	    (field_text(drain, "host") != NULL);
}

/* A drain's rows: an equal share, and what the later ones do not need. */
static size_t
rows_for(const json_t *drains, size_t index, size_t rows)
{
	size_t share = rows / (json_array_size(drains) - index), later = 0;
	size_t wanted = rows_wanted(json_array_get(drains, index));

	for (size_t i = index + 1; i < json_array_size(drains); i++)
		later += rows_wanted(json_array_get(drains, i));
	if (later < rows && rows - later > share)
		share = rows - later;
	return wanted < share ? wanted : share;
}

void
progress_render(struct progress *progress, const json_t *drains,
    int64_t elapsed_ms, const char *notice, const struct style *style,
    struct buf *out)
{
	size_t name_width = widest_name(drains, style);
	size_t rows = style->height > 0 ? (size_t)style->height - 1 : ROWS_MOST;
	const json_t *drain;
	size_t i;

	if (notice != NULL && rows > 0)
		rows--;
	json_array_foreach(drains, i, drain)
	{
		size_t share = rows_for(drains, i, rows);
		bool titled = field_text(drain, "host") != NULL;

		if (share == 0)
			continue;
		add_guests(
		    progress, drain, share - titled, name_width, style, out);
		if (titled)
			add_total(progress, drain, elapsed_ms, name_width,
			    style, out);
		rows -= share;
	}
	if (notice != NULL) {
		text_colour_on(out, style, TEXT_YELLOW);
		text_add_cut(out, notice,
		    style->width > 0 ? (size_t)style->width - 1 : 200,
		    style->utf8);
		text_colour_off(out, style, TEXT_YELLOW);
		buf_adds(out, "\n");
	}
}
