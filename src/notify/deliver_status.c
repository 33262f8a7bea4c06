/*
 * How the deliveries stand: for people as JSON, for the metrics as figures.
 * What is in the queue is asked of the outbox, what happened since the start is
 * counted by those who make it happen.  Nothing here shows a URL or a secret.
 */
#include "notify/deliver_private.h"

#include <string.h>

static const char *
status_state(const struct receiver *r)
{
	if (r->disabled)
		return "disabled";
	if (r->unreadable || (r->fails == 0 && receiver_rate_wait(r) > 0))
		return "held";
	return r->fails > 0 || mono_before(clock_mono_now(), r->hold)
	    ? "retrying"
	    : "ok";
}

/* When it is sent to next; null: at once, or not by itself. */
static json_t *
status_until(const struct receiver *r)
{
	int64_t wait = mono_diff(r->hold, clock_mono_now());
	char text[CLOCK_RFC3339_SIZE];

	if (wait < receiver_rate_wait(r))
		wait = receiver_rate_wait(r);
	if (r->disabled || wait <= 0)
		return json_null();
	wall_format((struct wall){clock_wall_now().ms + wait}, text);
	return json_string(text);
}

static json_t *
status_time(struct wall t, bool known)
{
	char text[CLOCK_RFC3339_SIZE];

	if (!known)
		return json_null();
	wall_format(t, text);
	return json_string(text);
}

static json_t *
status_receiver(const struct receiver *r)
{
	struct store_outbox_count count = {0};
	struct err err;

	if (store_count_outbox(r->deliver->store, r->name, &count, &err) != 0)
		return json_pack("{s:s, s:s?, s:s}", "name", r->name, "type",
		    r->settings->type, "last_error", err.msg);
	return json_pack("{s:s, s:s?, s:I, s:I, s:o, s:I, s:o, s:s?, s:s, s:o,"
			 " s:o, s:i}",
	    "name", r->name, "type", r->settings->type, "pending",
	    (json_int_t)count.pending, "dead", (json_int_t)count.dead, "oldest",
	    status_time(count.oldest, count.pending > 0), "delivered",
	    (json_int_t)r->counters.delivered, "last_code",
	    r->last_code != 0 ? json_integer(r->last_code) : json_null(),
	    "last_error", r->last_error[0] != '\0' ? r->last_error : NULL,
	    "state", status_state(r), "until", status_until(r), "open_since",
	    status_time(r->open_since, r->fails > 0), "in_flight", r->count);
}

json_t *
deliver_status(const struct deliver *d)
{
	json_t *list = json_array();
	const struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		if (r->settings != NULL)
			json_array_append_new(list, status_receiver(r));
	}
	return list;
}

void
deliver_each_figures(const struct deliver *d,
    void (*fn)(const struct deliver_figures *figures, void *arg), void *arg)
{
	const struct receiver *r;

	TAILQ_FOREACH(r, &d->receivers, link)
	{
		struct store_outbox_count count = {0};
		struct deliver_figures figures;

		if (r->settings == NULL)
			continue;
		store_count_outbox(d->store, r->name, &count, NULL);
		figures = (struct deliver_figures){.receiver = r->name,
		    .kind = r->settings->type,
		    .counters = r->counters,
		    .pending = count.pending,
		    .dead_letters = count.dead,
		    .oldest = count.oldest,
		    .disabled = r->disabled,
		    .open = r->fails > 0,
		    .in_flight = r->count};
		fn(&figures, arg);
	}
}
