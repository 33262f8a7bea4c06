#ifndef DROVER_CTL_BAR_H
#define DROVER_CTL_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ctl/text.h"

/* One line with a bar, in as many columns as there are. */

/* The parts of one line, left to right; "" is absent. */
struct bar_line {
	char name[256];
	char mode[160];
	double percent;
	char bytes[TEXT_SIZE]; /* of disks: "1.2 GiB of 4.0 GiB" */
	char rate[TEXT_SIZE];
	char left[TEXT_SIZE];
	char target[512];
	bool no_figures; /* the target's room is for words */
	enum text_colour colour;
};

/* With its newline.  The name and the mode get that many columns if there is
 * room; parts give way to a narrow window, the bar last. */
void bar_line_add(const struct bar_line *line, size_t name_width,
    size_t mode_width, const struct style *style, struct buf *out);

/* Cut or filled to `width` columns. */
void bar_add_part(
    const char *text, size_t width, const struct style *style, struct buf *out);

#endif
