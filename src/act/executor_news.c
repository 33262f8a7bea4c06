/*
 * News from hosts, for the moves that they concern.  Nothing is decided on them:
 * they give figures, and let a move that waits look sooner.
 */
#include "act/executor_priv.h"

#include <string.h>

void
executor_host_news(struct executor *ex, const char *host)
{
	struct journey *j, *next;

	for (j = ex->journeys; j != NULL; j = next) {
		next = j->next;
		if (strcmp(j->move->from, host) == 0 ||
		    strcmp(j->move->to, host) == 0)
			executor_feed(
			    j, &(struct move_event){.kind = MOVE_EV_HOST_NEWS});
	}
}

static bool
begins_with(const char *s, const char *word)
{
	return strncmp(s, word, strlen(word)) == 0;
}

/* What was copied of its disks before is old. */
static void
saw_started(struct journey *j)
{
	j->plan.off_at = (struct wall){0};
	executor_feed(j, &(struct move_event){.kind = MOVE_EV_STARTED});
}

/* For the figure of the downtime; decisions are made on looks. */
static void
note_lifecycle(struct journey *j, bool at_source, const char *what)
{
	bool off = begins_with(what, "stopped") ||
	    begins_with(what, "suspended (migrated") ||
	    begins_with(what, "suspended (paused");
	bool on = begins_with(what, "started (booted") ||
	    begins_with(what, "resumed");

	if (at_source && off)
		executor_saw_off(j);
	else if (at_source && on)
		saw_started(j);
	else if (!at_source && on)
		executor_saw_on(j);
}

/* Feeding the machine may end the journey. */
static void
hv_event(struct journey *j, bool at_source, const struct hv_event *event)
{
	switch (event->kind) {
	case HV_EVENT_DOMAIN:
		note_lifecycle(j, at_source, event->detail);
		return;
	case HV_EVENT_JOB_DONE:
		if (at_source) {
			j->final = event->job;
			j->final_known = true;
		}
		return;
	case HV_EVENT_ITERATION:
		if (at_source)
			j->job.iterations = event->iteration;
		return;
	case HV_EVENT_REBOOT:
		if (at_source)
			executor_feed(
			    j, &(struct move_event){.kind = MOVE_EV_REBOOTED});
		return;
	case HV_EVENT_DOMAIN_GONE:
	case HV_EVENT_HOST:
	case HV_EVENT_CLOSED:
		return;
	}
}

void
executor_hv_event(
    struct executor *ex, const char *host, const struct hv_event *event)
{
	struct journey *j, *next;

	for (j = ex->journeys; j != NULL; j = next) {
		next = j->next;
		if (strcmp(j->move->uuid, event->uuid) != 0)
			continue;
		if (strcmp(j->move->from, host) == 0)
			hv_event(j, true, event);
		else if (strcmp(j->move->to, host) == 0)
			hv_event(j, false, event);
	}
}
