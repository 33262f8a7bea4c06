/*
 * A drain on a terminal: one line per guest, redrawn in place.
 *
 *   web1  pre-copy  ━━━━━━━━━━━━━━╸       62%  312.0 MiB/s  4.2 s left  kvm2
 *   db1   pre-copy  ━━━━━╸                24%  118.4 MiB/s  not converging  kvm3
 *   nfs1  copying disks  ━━━╸  20%  1.2 of 4.0 GiB  95.0 MiB/s  30 s left  kvm2
 *   web2  moved in 1.2 s, downtime 64 ms, 190.0 MiB  kvm2
 *   kvm1  1 of 3 moved, 2 moving  ━━━━━━━━━━╸  62%  430.4 MiB/s  5.2 s
 *
 * A restart has one bar over all of its steps, with the words for the one that
 * is under way.
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
#include "ctl/bar.h"
#include "ctl/field.h"
#include "ctl/render.h"

#define NAME_MOST 24
#define MODE_LEAST 10
#define MODE_MOST 30
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

/* Disks on their way: what is over, of what there is. */
static void
disk_words(const json_t *move, char out[TEXT_SIZE])
{
	const json_t *now = json_object_get(move, "progress"), *disk;
	int64_t copied = field_int(now, "copied_bytes"), all = 0;
	char total[TEXT_SIZE], over[TEXT_SIZE];
	size_t i;

	json_array_foreach(json_object_get(move, "disks"), i, disk) all +=
	    field_count(disk, "allocation");
	if (copied == FIELD_UNKNOWN || all <= 0 ||
	    strncmp(field_text_or(now, "phase", ""), "copying", 7) != 0)
		return;
	if (copied > all)
		copied = all;
	snprintf(out, TEXT_SIZE, "%.24s of %.24s", text_bytes(copied, over),
	    text_bytes(all, total));
}

static void
add_moving_line(struct progress *progress, const json_t *vm, size_t name_width,
    size_t mode_width, const struct style *style, struct buf *out)
{
	const json_t *move = json_object_get(vm, "move");
	const json_t *now = json_object_get(move, "progress");
	int64_t eta = field_int(now, "eta_ms");
	const char *why = field_text(vm, "why");
	const char *to = field_text_or(vm, "to", field_text_or(move, "to", ""));
	struct bar_line line = {
	    .percent = share_of(progress, vm), .colour = TEXT_GREEN};
	char text[TEXT_SIZE];

	snprintf(
	    line.name, sizeof(line.name), "%s", field_text_or(vm, "vm", "-"));
	render_phase(move, line.mode, sizeof(line.mode));
	disk_words(move, line.bytes);
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
	bar_line_add(&line, name_width, mode_width, style, out);
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
	bar_add_part(field_text_or(vm, "vm", "-"), name_width, style, out);
	text_add_spaces(out, 2);
	text_colour_on(out, style, colours[rank]);
	text_add_cut(out, buf_str(&words), room, style->utf8);
	text_colour_off(out, style, colours[rank]);
	buf_adds(out, "\n");
	buf_free(&words);
}

static void
add_guest(struct progress *progress, const json_t *vm, size_t name_width,
    size_t mode_width, const struct style *style, struct buf *out)
{
	if (rank_of(vm) == RANK_MOVING)
		add_moving_line(
		    progress, vm, name_width, mode_width, style, out);
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

/* The words before the bars, so that all bars begin in one column. */
static size_t
widest_mode(const json_t *vms)
{
	size_t widest = MODE_LEAST, width, i;
	char text[64];
	const json_t *vm;

	json_array_foreach(vms, i, vm)
	{
		if (rank_of(vm) != RANK_MOVING)
			continue;
		width = text_width(render_phase(
		    json_object_get(vm, "move"), text, sizeof(text)));
		if (width > widest)
			widest = width;
	}
	return widest < MODE_MOST ? widest : MODE_MOST;
}

/* At most `rows` lines: all guests in their order, or those that matter most
 * and a line about the rest. */
static void
add_guests(struct progress *progress, const json_t *drain, size_t rows,
    size_t name_width, const struct style *style, struct buf *out)
{
	const json_t *vms = json_object_get(drain, "vms"), *vm;
	size_t hidden[RANK_COUNT] = {0}, used = 0, i;
	size_t mode_width = widest_mode(vms);
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
			add_guest(
			    progress, vm, name_width, mode_width, style, out);
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
	struct bar_line line = {.colour = TEXT_GREEN};
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
	bar_line_add(&line, name_width, text_width(line.mode), style, out);
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
