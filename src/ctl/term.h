#ifndef DROVER_CTL_TERM_H
#define DROVER_CTL_TERM_H

#include <signal.h>
#include <stdint.h>

#include "ctl/text.h"

/* The terminal on stdout: its size, redrawing in place, and being stopped. */

/* What stdout is.  *out_live: a terminal on which lines can be redrawn. */
struct style term_style(bool *out_live);
/* Asks for the size again. */
void term_measure(struct style *style);

/* What is on the screen; zeroed: nothing. */
#define TERM_ROWS_MAX 1024
struct term_frame {
	size_t widths[TERM_ROWS_MAX]; /* of its lines */
	size_t count;
	size_t columns; /* of the window then */
};

/* The sequence that puts `text` (whole lines) in the frame's place. */
void term_redraw(struct term_frame *frame, const struct style *style,
    const char *text, struct buf *out);

/* Not 0 once SIGINT or SIGTERM came after term_catch_signals(). */
extern volatile sig_atomic_t term_stop;
void term_catch_signals(void);
void term_release_signals(void);
/* Waits; returns early on a signal, also for a new window size. */
void term_sleep(int64_t ms);

#endif
