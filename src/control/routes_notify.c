/*
 * Handlers of what is asked and said about receivers and deliveries.  Like those
 * in routes.c, they know nothing of transport; a test, whose answer takes a
 * while, is only noted for the server to begin.
 */
#include "control/routes_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *
routes_get_receivers(struct call *call, struct err *err)
{
	return BACKEND(call, receivers, err);
}

static struct control_delivery_filter
delivery_filter(const struct call *call)
{
	return (struct control_delivery_filter){
	    .receiver = arg_text(call, "receiver"),
	    .state = arg_text(call, "state"),
	    .before = arg_number(call, "before", 0),
	    .max = (int)arg_number(call, "max", ROUTES_LIST_DEFAULT),
	};
}

json_t *
routes_get_deliveries(struct call *call, struct err *err)
{
	struct control_delivery_filter filter = delivery_filter(call);

	return BACKEND(call, deliveries, &filter, err);
}

json_t *
routes_get_delivery(struct call *call, struct err *err)
{
	return BACKEND(call, delivery, call->id, err);
}

json_t *
routes_get_attempts(struct call *call, struct err *err)
{
	struct control_delivery_filter filter = delivery_filter(call);

	return BACKEND(call, attempts, &filter, err);
}

json_t *
routes_post_delivery_replay(struct call *call, struct err *err)
{
	return BACKEND(
	    call, delivery_replay, call->id, &call->request->peer, err);
}

json_t *
routes_post_delivery_drop(struct call *call, struct err *err)
{
	return BACKEND(
	    call, delivery_drop, call->id, &call->request->peer, err);
}

json_t *
routes_post_receiver_replay(struct call *call, struct err *err)
{
	return BACKEND(
	    call, receiver_replay, call->name, &call->request->peer, err);
}

json_t *
routes_post_receiver_drop(struct call *call, struct err *err)
{
	const char *state = arg_text(call, "state");

	if (state == NULL ||
	    (strcmp(state, "pending") != 0 && strcmp(state, "dead") != 0)) {
		err_set(err, ERR_INVALID,
		    "\"state\": \"pending\" or \"dead\" is wanted: which are "
		    "to be dropped");
		return NULL;
	}
	return BACKEND(call, receiver_drop, call->name,
	    strcmp(state, "dead") == 0, &call->request->peer, err);
}

json_t *
routes_post_receiver_test(struct call *call, struct err *err)
{
	const char *event = arg_text(call, "event");
	struct routes_test *test = calloc(1, sizeof(*test));

	(void)err;
	if (test == NULL)
		abort();
	snprintf(test->name, sizeof(test->name), "%s", call->name);
	snprintf(
	    test->event, sizeof(test->event), "%s", event != NULL ? event : "");
	call->reply->test = test;
	return NULL;
}
