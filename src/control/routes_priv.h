#ifndef DROVER_CONTROL_ROUTES_PRIV_H
#define DROVER_CONTROL_ROUTES_PRIV_H

#include "control/routes.h"

/* What the handlers of requests share; routes*.c alone. */

struct call {
	const struct control_backend *backend;
	const struct routes_request *request;
	char name[ROUTES_NAME_MAX + 1];
	int64_t id;
	json_t *args;
	json_t *details; /* of an error */
	bool wait;       /* the error may pass: asking again is worth it */
	struct routes_reply *reply;
};

#define BACKEND(call, fn, ...)                                                 \
	((call)->backend->fn((call)->backend->arg, __VA_ARGS__))

static inline const char *
arg_text(const struct call *call, const char *key)
{
	return json_string_value(json_object_get(call->args, key));
}

static inline int64_t
arg_number(const struct call *call, const char *key, int64_t missing)
{
	const json_t *value = json_object_get(call->args, key);

	return value != NULL ? json_integer_value(value) : missing;
}

static inline bool
arg_bool(const struct call *call, const char *key, bool missing)
{
	const json_t *value = json_object_get(call->args, key);

	return value != NULL ? json_is_true(value) : missing;
}

/* ---- routes_notify.c: receivers and deliveries ---- */

json_t *routes_get_receivers(struct call *call, struct err *err);
json_t *routes_get_deliveries(struct call *call, struct err *err);
json_t *routes_get_delivery(struct call *call, struct err *err);
json_t *routes_get_attempts(struct call *call, struct err *err);
json_t *routes_post_delivery_replay(struct call *call, struct err *err);
json_t *routes_post_delivery_drop(struct call *call, struct err *err);
json_t *routes_post_receiver_replay(struct call *call, struct err *err);
json_t *routes_post_receiver_drop(struct call *call, struct err *err);
json_t *routes_post_receiver_test(struct call *call, struct err *err);

#endif
