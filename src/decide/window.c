/*
 * Whether the clock on the wall lets a policy begin.
 *
 * The answer at an instant needs only what the clock shows then.  When it will
 * change is found by looking at the instants at which it can: those at which
 * the clock shows the beginning or the end of a window, and those at which the
 * clock itself is set.  Between two settings local time runs evenly, so that
 * the next beginning is a subtraction away; the search goes from instant to
 * instant and asks anew at each.
 *
 * A window may be skipped once by a clock that is set, and comes again a week
 * later; five weeks are more than any window needs.
 */
#include "decide/window.h"

#include "base/zone.h"

#define DAY_S INT64_C(86400)
#define DAY_MIN 1440

static bool
window_has(const struct policy_window *w, struct wall now)
{
	bool over_night = w->to_min <= w->from_min;
	int weekday, minute;
	unsigned today, yesterday;

	zone_local(w->zone, now, &weekday, &minute);
	today = w->days >> weekday & 1U;
	yesterday = w->days >> (weekday + 6) % 7 & 1U;
	if (!over_night)
		return today && minute >= w->from_min && minute < w->to_min;
	return (today && minute >= w->from_min) ||
	    (yesterday && minute < w->to_min);
}

static bool
any_has(const struct policy *policy, struct wall now)
{
	for (size_t i = 0; i < policy->window_count; i++)
		if (window_has(&policy->windows[i], now))
			return true;
	return policy->window_count == 0;
}

/* Seconds until the clock shows this minute of a day, when nobody sets it. */
static int64_t
seconds_until(int64_t second_of_day, int minute)
{
	int64_t ahead = minute % DAY_MIN * INT64_C(60) - second_of_day;

	return ahead > 0 ? ahead : ahead + DAY_S;
}

/* The next instant at which this window may open or shut. */
static int64_t
next_instant(const struct policy_window *w, struct wall now)
{
	int64_t seconds = now.ms / 1000 - (now.ms % 1000 < 0);
	int64_t local = seconds + zone_offset_s(w->zone, now);
	int64_t of_day = (local % DAY_S + DAY_S) % DAY_S;
	int64_t from = seconds_until(of_day, w->from_min);
	int64_t to = seconds_until(of_day, w->to_min);
	int64_t shown = (seconds + (from < to ? from : to)) * 1000;
	int64_t set = zone_next_change(w->zone, now).ms;

	return shown < set ? shown : set;
}

bool
window_open(
    const struct policy *policy, struct wall now, struct wall *out_next_change)
{
	const int64_t limit = now.ms + WINDOW_AHEAD_DAYS * DAY_S * 1000;
	bool open = any_has(policy, now);
	struct wall at = now;

	if (out_next_change == NULL)
		return open;
	out_next_change->ms = 0;
	while (policy->window_count > 0 && at.ms < limit) {
		int64_t next = INT64_MAX;

		for (size_t i = 0; i < policy->window_count; i++) {
			int64_t instant = next_instant(&policy->windows[i], at);

			next = instant < next ? instant : next;
		}
		at.ms = next;
		if (any_has(policy, at) != open) {
			*out_next_change = at;
			break;
		}
	}
	return open;
}
