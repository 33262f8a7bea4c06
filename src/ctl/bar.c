/*
 * Which parts of a line are shown depends on the width alone, so that lines below
 * each other line up; a line never wraps, since the next frame has to find its
 * place.
 */

#include "ctl/bar.h"

#include <string.h>

#define BAR_MOST 30
#define BAR_LEAST 5

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

void
bar_add_part(
    const char *text, size_t width, const struct style *style, struct buf *out)
{
	size_t used = text_width(text);

	text_add_cut(out, text, width, style->utf8);
	if (used < width)
		text_add_spaces(out, width - used);
}

/* How many columns each part of a line gets; 0: it is left out. */
struct layout {
	size_t name, mode, bar, bytes, rate, left, target;
};

/* What is given up first: the bytes, the rate, the target, what is left, the
 * bar. */
static struct layout
lay_out(const struct bar_line *line, size_t name_width, size_t mode_width,
    const struct style *style)
{
	size_t room = style->width > 1 ? (size_t)style->width - 1 : 200;
	size_t fixed = name_width + 2 + 2 + 4, target, least;
	struct layout to = {name_width, mode_width, 0, 0, 12, 14, 0};

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
	to.bytes = text_width(line->bytes);
	if (line->no_figures) {
		to.bytes = 0;
		to.rate = 0;
		to.left = 0;
		if (room < least + to.target)
			to.target = room > least + 12 ? room - least : 0;
	}
	if (to.bytes > 0 &&
	    room < least + to.bytes + to.rate + to.left + 6 + to.target)
		to.bytes = 0;
	if (to.rate > 0 && room < least + to.rate + to.left + 4 + to.target)
		to.rate = 0;
	if (to.left > 0 && room < least + to.left + 2 + to.target)
		to.target = 0;
	if (room < least + to.left + 2)
		to.left = 0;
	fixed += (to.bytes > 0 ? to.bytes + 2 : 0) +
	    (to.rate > 0 ? to.rate + 2 : 0) + (to.left > 0 ? to.left + 2 : 0) +
	    to.target;
	to.bar = room > fixed + 2 ? room - fixed - 2 : 0;
	if (to.bar > BAR_MOST)
		to.bar = BAR_MOST;
	if (to.bar < BAR_LEAST)
		to.bar = 0;
	return to;
}

void
bar_line_add(const struct bar_line *line, size_t name_width, size_t mode_width,
    const struct style *style, struct buf *out)
{
	struct layout to = lay_out(line, name_width, mode_width, style);
	size_t used = strlen(line->rate);

	bar_add_part(line->name, to.name, style, out);
	text_add_spaces(out, 2);
	if (to.mode > 0) {
		bar_add_part(line->mode, to.mode, style, out);
		text_add_spaces(out, 2);
	}
	if (to.bar > 0) {
		add_bar(line->percent, to.bar, style, line->colour, out);
		text_add_spaces(out, 2);
	}
	buf_addf(out, "%3d%%", (int)line->percent);
	if (to.bytes > 0) {
		text_add_spaces(out, 2);
		buf_adds(out, line->bytes);
	}
	if (to.rate > 0) {
		text_add_spaces(out, 2 + (used < to.rate ? to.rate - used : 0));
		buf_adds(out, line->rate);
	}
	if (to.left > 0) {
		text_add_spaces(out, 2);
		bar_add_part(line->left, to.left, style, out);
	}
	if (to.target > 0) {
		text_add_spaces(out, 2);
		text_add_cut(out, line->target, to.target - 2, style->utf8);
	}
	buf_adds(out, "\n");
}
