/*
 * Redrawing in place without a terminal library: go up as many rows as the last
 * frame takes now, write the new lines, clear what is left of the old.  How
 * many rows a line takes is computed at drawing time, because a window that
 * was made narrower has wrapped the old lines meanwhile.
 *
 * Signals only set a flag.  term_sleep() blocks them while it looks at the flag
 * and lets them in only while it waits (ppoll), so that none falls between.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif

#include "ctl/term.h"

#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t term_stop;

static struct sigaction old_int, old_term, old_winch;

static int
number_from_env(const char *name)
{
	const char *text = getenv(name);
	long value = text != NULL ? strtol(text, NULL, 10) : 0;

	return value > 0 && value < 10000 ? (int)value : 0;
}

void
term_measure(struct style *style)
{
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO)) {
		style->width = 0;
		style->height = 0;
		return;
	}
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	style->width =
	    size.ws_col > 0 ? size.ws_col : number_from_env("COLUMNS");
	style->height =
	    size.ws_row > 0 ? size.ws_row : number_from_env("LINES");
	if (style->width == 0)
		style->width = 80;
	if (style->height == 0)
		style->height = 24;
}

struct style
term_style(bool *out_live)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");
	struct style style = {0};
	bool able = isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' &&
	    strcmp(term, "dumb") != 0;

	/* https://no-color.org: set and not empty. */
	style.colour = able && (no_colour == NULL || no_colour[0] == '\0');
	style.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	term_measure(&style);
	*out_live = able;
	return style;
}

/* The columns of a line, without its colour sequences. */
static size_t
line_width(const char *line, size_t len)
{
	struct buf plain = BUF_INIT(len + 1);
	size_t width;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\033') {
			while (i < len && line[i] != 'm')
				i++;
			continue;
		}
		buf_add(&plain, line + i, 1);
	}
	width = text_width(buf_str(&plain));
	buf_free(&plain);
	return width;
}

void
term_redraw(struct term_frame *frame, const struct style *style,
    const char *text, struct buf *out)
{
	size_t columns = style->width > 0 ? (size_t)style->width : 80;
	size_t rows = 0, count = 0;

	for (size_t i = 0; i < frame->count; i++)
		rows += frame->widths[i] <= columns
		    ? 1
		    : (frame->widths[i] + columns - 1) / columns;
	buf_adds(out, "\r");
	if (rows > 0)
		buf_addf(out, "\033[%zuA", rows);
	/* Rows that were wrapped would be joined again with what is written
	 * over them when the window grows, unless they are cleared first. */
	if (frame->columns != columns)
		buf_adds(out, "\033[J");
	frame->columns = columns;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		buf_add(out, text, len);
		buf_adds(out, "\033[K\n");
		if (count < TERM_ROWS_MAX)
			frame->widths[count++] = line_width(text, len);
		text += len + (text[len] == '\n');
	}
	frame->count = count;
	buf_adds(out, "\033[J");
}

static void
on_signal(int number)
{
	if (number != SIGWINCH)
		term_stop = 1;
}

void
term_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	sigaction(SIGWINCH, &action, &old_winch);
}

void
term_release_signals(void)
{
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGWINCH, &old_winch, NULL);
}

void
term_sleep(int64_t ms)
{
	struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
	sigset_t caught, before;

	if (ms <= 0)
		return;
	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigaddset(&caught, SIGWINCH);
	sigprocmask(SIG_BLOCK, &caught, &before);
	if (!term_stop)
		ppoll(NULL, 0, &wait, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
