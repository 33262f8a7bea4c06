/*
 * From the hypervisor's event thread to the loop thread.
 *
 * Events of one connection collect in a queue of its own and one drain is
 * posted for them, however many they are: a host that floods costs the mailbox
 * one place.  The queue is bounded.  What does not fit is dropped, and the whole
 * host is listed instead; that the connection closed is never dropped.
 *
 * What an event says about a guest is not believed.  It says which guest to
 * read again.  Only progress of migrations is passed on as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hv/link_state.h"

static void
link_events_on_drain(void *arg)
{
	struct link_conn *conn = arg;

	link_events_drain(conn);
}

static void
link_events_store(struct link_conn *conn, const struct hv_event *event)
{
	if (conn->event_count >= LINK_EVENTS_MAX &&
	    event->kind != HV_EVENT_CLOSED) {
		conn->overflow = true;
		return;
	}
	if (conn->event_count == conn->event_max) {
		size_t max = conn->event_max > 0 ? conn->event_max * 2 : 16;
		void *grown =
		    reallocarray(conn->events, max, sizeof(*conn->events));

		if (grown == NULL)
			abort();
		conn->events = grown;
		conn->event_max = max;
	}
	conn->events[conn->event_count++] = *event;
}

/* On the event thread. */
void
link_events_on_event(const struct hv_event *event, void *arg)
{
	struct link_conn *conn = arg;
	struct link *link = conn->link;

	(void)pthread_mutex_lock(&link->lock);
	if (!conn->muted && !link->closing) {
		link_events_store(conn, event);
		/* Under the lock: once closed, the loop is not touched. */
		if (!conn->posted) {
			conn->posted = true;
			loop_post(link->loop, link_events_on_drain, conn);
		}
	}
	(void)pthread_mutex_unlock(&link->lock);
}

static void
link_events_act(struct link *link, const struct hv_event *event)
{
	struct mono now;
	int64_t age;

	switch (event->kind) {
	case HV_EVENT_DOMAIN:
	case HV_EVENT_DOMAIN_GONE:
		link_reread(link, event->uuid);
		break;
	case HV_EVENT_ITERATION:
	case HV_EVENT_JOB_DONE:
	case HV_EVENT_REBOOT:
		break;
	case HV_EVENT_HOST:
		now = clock_mono_now();
		age = mono_diff(now, link->list_started);
		link_read_relist_in(link,
		    age < LINK_HOST_EVENT_MS ? LINK_HOST_EVENT_MS - age : 0);
		break;
	case HV_EVENT_CLOSED:
		link_drop(link, event->detail);
		break;
	}
}

void
link_events_drain(struct link_conn *conn)
{
	struct link *link = conn->link;
	struct hv_event *events = NULL;
	size_t count = 0;
	bool overflow = false, dead;

	link_ref(link);
	(void)pthread_mutex_lock(&link->lock);
	conn->posted = false;
	dead = conn->dead;
	/* Not yet ours: they wait for the open to return. */
	if (conn->adopted) {
		events = conn->events;
		count = conn->event_count;
		overflow = conn->overflow;
		conn->events = NULL;
		conn->event_count = conn->event_max = 0;
		conn->overflow = false;
	}
	(void)pthread_mutex_unlock(&link->lock);

	for (size_t i = 0; i < count && link->conn == conn; i++) {
		link->callbacks.event(link->host, &events[i], link->arg);
		if (link->conn == conn)
			link_events_act(link, &events[i]);
	}
	free(events);
	if (overflow && link->conn == conn) {
		log_warn(
		    "link", "%s: too many events, listing instead", link->host);
		link_read_relist_in(link, 0);
	}
	if (dead)
		link_conn_free(conn);
	link_unref(link);
}
