/*
 * One table says which paths exist, which method each takes, and which keys
 * each understands; one function turns a request into a call.  A handler sees
 * a name or number from the path and its arguments as a JSON object of checked
 * types, whether they came in a query string or in a body, and knows nothing of
 * where they came from.
 *
 * The interface is for programs that people write, so a mistake is answered
 * with what would have been right: the method that fits, the keys that exist,
 * the type that is wanted.  An unknown key is refused and not ignored: whoever
 * writes "parralel": 2 would otherwise get an unlimited drain.
 */

#include "control/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/params.h"
#include "control/routes_priv.h"

#define SCHEMA "drover/v1"

struct route {
	const char *method;
	const char *path; /* NAME and ID stand for a segment */
	int status;       /* when it went well */
	json_t *(*handle)(struct call *call, struct err *err);
	struct param params[PARAMS_MAX];
};

static void
cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define cleanup_json_ref cleanup(cleanup_json)

/* ---- handlers ---- */

static json_t *
get_health(struct call *call, struct err *err)
{
	(void)call;
	(void)err;
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
get_status(struct call *call, struct err *err)
{
	return BACKEND(call, status, err);
}

static json_t *
get_metrics(struct call *call, struct err *err)
{
	struct buf text = BUF_INIT(ROUTES_METRICS_MAX);

	if (BACKEND(call, metrics, &text, err) == 0)
		call->reply->text = buf_steal(&text);
	buf_free(&text);
	return NULL;
}

static json_t *
get_hosts(struct call *call, struct err *err)
{
	return BACKEND(call, hosts, err);
}

static json_t *
get_host(struct call *call, struct err *err)
{
	return BACKEND(call, host, call->name, err);
}

static json_t *
get_vms(struct call *call, struct err *err)
{
	return BACKEND(call, vms, err);
}

static json_t *
get_vm(struct call *call, struct err *err)
{
	return BACKEND(call, vm, call->name, err);
}

static json_t *
get_snapshot(struct call *call, struct err *err)
{
	return BACKEND(call, snapshot, err);
}

static struct control_drain_options
drain_options(const struct call *call)
{
	return (struct control_drain_options){
	    .parallel = (int)arg_number(call, "parallel", -1),
	    .only_to = arg_text(call, "to"),
	    .reason = arg_text(call, "reason"),
	    .force_off = arg_bool(call, "force_off", false),
	    .include_stopped = arg_bool(call, "include_stopped", false),
	    .return_home = arg_bool(call, "return_home", false),
	};
}

/* false: what was given is no time, with *err. */
static bool
take_deadline(const struct call *call, struct control_drain_options *options,
    struct err *err)
{
	const char *text = arg_text(call, "deadline");

	if (text == NULL || wall_parse(text, &options->deadline))
		return true;
	(void)err_set(err, ERR_INVALID,
	    "\"deadline\": a time such as 2026-11-21T03:00:00Z is wanted");
	return false;
}

static json_t *
get_plan(struct call *call, struct err *err)
{
	struct control_drain_options options = drain_options(call);

	if (!take_deadline(call, &options, err))
		return NULL;
	return BACKEND(call, plan_drain, call->name, &options, err);
}

static json_t *
get_explain(struct call *call, struct err *err)
{
	return BACKEND(call, explain, call->name, arg_text(call, "to"), err);
}

static json_t *
post_drain(struct call *call, struct err *err)
{
	struct control_drain_options options = drain_options(call);

	if (!take_deadline(call, &options, err))
		return NULL;
	return BACKEND(
	    call, drain, call->name, &options, &call->request->peer, err);
}

static json_t *
post_undrain(struct call *call, struct err *err)
{
	return BACKEND(call, undrain, call->name, &call->request->peer, err);
}

static json_t *
post_cordon(struct call *call, struct err *err)
{
	return BACKEND(call, cordon, call->name, arg_text(call, "reason"),
	    &call->request->peer, err);
}

static json_t *
post_uncordon(struct call *call, struct err *err)
{
	return BACKEND(call, uncordon, call->name, &call->request->peer, err);
}

static json_t *
get_drains(struct call *call, struct err *err)
{
	int max = (int)arg_number(call, "max", ROUTES_LIST_DEFAULT);

	return BACKEND(call, drains, max, err);
}

static json_t *
get_drain(struct call *call, struct err *err)
{
	return BACKEND(call, drain_show, call->id, err);
}

static json_t *
get_moves(struct call *call, struct err *err)
{
	struct control_move_filter filter = {
	    .max = (int)arg_number(call, "max", ROUTES_LIST_DEFAULT),
	    .open_only = arg_bool(call, "open", false),
	};

	return BACKEND(call, moves, &filter, err);
}

static json_t *
get_move(struct call *call, struct err *err)
{
	return BACKEND(call, move, call->id, err);
}

static json_t *
post_move_abort(struct call *call, struct err *err)
{
	return BACKEND(call, move_abort, call->id, &call->request->peer, err);
}

static json_t *
post_vm_move(struct call *call, struct err *err)
{
	struct control_move_options options = {
	    .to = arg_text(call, "to"),
	    .strategy = arg_text(call, "strategy"),
	    .dry_run = arg_bool(call, "dry_run", false),
	    .force = arg_bool(call, "force", false),
	    .out_wait = &call->wait,
	};

	if (options.dry_run)
		call->reply->status = 200;
	return BACKEND(
	    call, vm_move, call->name, &options, &call->request->peer, err);
}

static json_t *
get_decisions(struct call *call, struct err *err)
{
	struct control_decision_filter filter = {
	    .policy = arg_text(call, "policy"),
	    .host = arg_text(call, "host"),
	    .open_only = arg_bool(call, "open", false),
	    .max = (int)arg_number(call, "max", ROUTES_LIST_DEFAULT),
	};

	return BACKEND(call, decisions, &filter, err);
}

static json_t *
get_decision(struct call *call, struct err *err)
{
	return BACKEND(call, decision, call->id, err);
}

static json_t *
post_approve(struct call *call, struct err *err)
{
	return BACKEND(
	    call, decision_approve, call->id, &call->request->peer, err);
}

static json_t *
get_policies(struct call *call, struct err *err)
{
	return BACKEND(call, policies, err);
}

static json_t *
get_policy(struct call *call, struct err *err)
{
	return BACKEND(call, policy, call->name, err);
}

static json_t *
require(const struct call *call, const char *key, struct err *err)
{
	json_t *value = json_object_get(call->args, key);

	if (value == NULL)
		(void)err_set(err, ERR_INVALID, "\"%s\" is missing", key);
	return value;
}

static json_t *
post_mode(struct call *call, struct err *err)
{
	const char *mode = json_string_value(require(call, "mode", err));

	if (mode == NULL)
		return NULL;
	return BACKEND(
	    call, policy_set_mode, call->name, mode, &call->request->peer, err);
}

static json_t *
post_labels(struct call *call, struct err *err)
{
	json_t *labels = require(call, "labels", err);

	if (labels == NULL)
		return NULL;
	return BACKEND(
	    call, vm_label, call->name, labels, &call->request->peer, err);
}

static json_t *
get_alerts(struct call *call, struct err *err)
{
	return BACKEND(call, alerts, err);
}

static json_t *
post_alerts(struct call *call, struct err *err)
{
	return BACKEND(call, alerts_post,
	    call->request->body != NULL ? call->request->body : "",
	    call->request->body_len, err);
}

static json_t *
post_reload(struct call *call, struct err *err)
{
	cleanup_free char *faults = NULL;
	json_t *loaded = BACKEND(call, reload, &faults, err);
	char *rest, *line;

	if (faults == NULL || loaded != NULL)
		return loaded;
	call->details = json_array();
	for (line = strtok_r(faults, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(call->details, json_string(line));
	return NULL;
}

static void
collect_event(const struct store_event *event, void *arg)
{
	json_t *body = json_loads(event->body, 0, NULL);

	if (body == NULL)
		body = json_null();
	json_array_append_new(arg,
	    json_pack(
		"{s:I, s:o}", "seq", (json_int_t)event->seq, "event", body));
}

static int
parse_seq(const char *text, int64_t *out, struct err *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0)
		return err_set(err, ERR_INVALID,
		    "Last-Event-ID: a sequence number is wanted, not \"%.40s\"",
		    text);
	*out = value;
	return 0;
}

/*
 * Following starts where the client left off (the header that a reconnecting
 * client sends), else after `after`, else now.  follow=false lists instead:
 * the newest `max`, or those after `after`.
 */
static json_t *
get_events(struct call *call, struct err *err)
{
	const char *last_id = call->request->last_event_id;
	int64_t last = call->backend->last_event(call->backend->arg);
	int64_t after = arg_number(call, "after", -1);
	int max = (int)arg_number(call, "max", ROUTES_LIST_DEFAULT);
	json_t *rows;

	if (arg_bool(call, "follow", true)) {
		if (last_id != NULL && parse_seq(last_id, &after, err) != 0)
			return NULL;
		call->reply->follow = true;
		call->reply->after = after >= 0 ? after : last;
		return NULL;
	}
	if (after < 0)
		after = last > max ? last - max : 0;
	rows = json_array();
	if (BACKEND(call, events, after, max, collect_event, rows, err) != 0) {
		json_decref(rows);
		return NULL;
	}
	return json_pack(
	    "{s:I, s:o}", "last", (json_int_t)last, "events", rows);
}

#define P_TEXT(key, max)                                                       \
	{                                                                      \
		key, PARAM_TEXT, 1, max                                        \
	}
#define P_NUMBER(key, min, max)                                                \
	{                                                                      \
		key, PARAM_NUMBER, min, max                                    \
	}
#define P_BOOL(key)                                                            \
	{                                                                      \
		key, PARAM_BOOL, 0, 0                                          \
	}
#define P_TO P_TEXT("to", ROUTES_NAME_MAX)
#define P_REASON P_TEXT("reason", ROUTES_TEXT_MAX)
#define P_FORCE P_BOOL("force_off")
#define P_STOPPED P_BOOL("include_stopped")
#define P_RETURN P_BOOL("return_home")
#define P_DEADLINE P_TEXT("deadline", 64)
#define P_PARALLEL P_NUMBER("parallel", 1, 1000)
#define P_HOST P_TEXT("host", ROUTES_NAME_MAX)
#define P_POLICY P_TEXT("policy", ROUTES_NAME_MAX)
#define P_LABELS                                                               \
	{                                                                      \
		"labels", PARAM_PAIRS, 1, 64                                   \
	}
#define P_MAX P_NUMBER("max", 1, ROUTES_LIST_MAX)
#define P_RECEIVER P_TEXT("receiver", ROUTES_NAME_MAX)
#define P_BEFORE P_NUMBER("before", 1, INT64_MAX)
#define P_STATE P_TEXT("state", 16)
#define P_EVENT P_TEXT("event", ROUTES_NAME_MAX)
#define P_AFTER P_NUMBER("after", 0, INT64_MAX)

static const struct route routes[] = {
    {"GET", "/healthz", 200, get_health, {{0}}},
    {"GET", "/metrics", 200, get_metrics, {{0}}},
    {"GET", "/v1/status", 200, get_status, {{0}}},
    {"GET", "/v1/hosts", 200, get_hosts, {{0}}},
    {"GET", "/v1/hosts/NAME", 200, get_host, {{0}}},
    {"POST", "/v1/hosts/NAME/drain", 202, post_drain,
	{P_PARALLEL, P_TO, P_REASON, P_FORCE, P_STOPPED, P_DEADLINE, P_RETURN}},
    {"POST", "/v1/hosts/NAME/undrain", 200, post_undrain, {{0}}},
    {"POST", "/v1/hosts/NAME/cordon", 200, post_cordon, {P_REASON}},
    {"POST", "/v1/hosts/NAME/uncordon", 200, post_uncordon, {{0}}},
    {"GET", "/v1/plan/drain/NAME", 200, get_plan,
	{P_PARALLEL, P_TO, P_FORCE, P_STOPPED, P_DEADLINE}},
    {"GET", "/v1/explain/NAME", 200, get_explain, {P_TO}},
    {"GET", "/v1/snapshot", 200, get_snapshot, {{0}}},
    {"GET", "/v1/drains", 200, get_drains, {P_MAX}},
    {"GET", "/v1/drains/ID", 200, get_drain, {{0}}},
    {"GET", "/v1/vms", 200, get_vms, {{0}}},
    {"GET", "/v1/vms/NAME", 200, get_vm, {{0}}},
    {"POST", "/v1/vms/NAME/move", 202, post_vm_move,
	{P_TO, P_TEXT("strategy", 64), P_BOOL("dry_run"), P_BOOL("force")}},
    {"POST", "/v1/vms/NAME/labels", 200, post_labels, {P_LABELS}},
    {"GET", "/v1/decisions", 200, get_decisions,
	{P_POLICY, P_HOST, P_MAX, P_BOOL("open")}},
    {"GET", "/v1/decisions/ID", 200, get_decision, {{0}}},
    {"POST", "/v1/decisions/ID/approve", 200, post_approve, {{0}}},
    {"GET", "/v1/policies", 200, get_policies, {{0}}},
    {"GET", "/v1/policies/NAME", 200, get_policy, {{0}}},
    {"POST", "/v1/policies/NAME/mode", 200, post_mode, {P_TEXT("mode", 64)}},
    {"GET", "/v1/moves", 200, get_moves, {P_MAX, P_BOOL("open")}},
    {"GET", "/v1/moves/ID", 200, get_move, {{0}}},
    {"POST", "/v1/moves/ID/abort", 202, post_move_abort, {{0}}},
    {"GET", ROUTES_ALERTS, 200, get_alerts, {{0}}},
    {"POST", ROUTES_ALERTS, 200, post_alerts, {{0}}},
    {"GET", "/v1/receivers", 200, routes_get_receivers, {{0}}},
    {"POST", "/v1/receivers/NAME/test", 200, routes_post_receiver_test,
	{P_EVENT}},
    {"POST", "/v1/receivers/NAME/replay", 200, routes_post_receiver_replay,
	{{0}}},
    {"POST", "/v1/receivers/NAME/drop", 200, routes_post_receiver_drop,
	{P_STATE}},
    {"GET", "/v1/deliveries", 200, routes_get_deliveries,
	{P_RECEIVER, P_STATE, P_BEFORE, P_MAX}},
    {"GET", "/v1/deliveries/ID", 200, routes_get_delivery, {{0}}},
    {"POST", "/v1/deliveries/ID/replay", 200, routes_post_delivery_replay,
	{{0}}},
    {"POST", "/v1/deliveries/ID/drop", 200, routes_post_delivery_drop, {{0}}},
    {"GET", "/v1/attempts", 200, routes_get_attempts,
	{P_RECEIVER, P_BEFORE, P_MAX}},
    {"POST", "/v1/reload", 200, post_reload, {{0}}},
    {"GET", "/v1/events", 200, get_events, {P_AFTER, P_MAX, P_BOOL("follow")}},
};

#define ROUTES_COUNT (sizeof(routes) / sizeof(routes[0]))

/* ---- the path ---- */

enum match { MATCH_NO, MATCH_YES, MATCH_BAD };

static enum match
match_segment(struct call *call, const char *want, size_t want_len,
    const char *got, size_t got_len, struct err *err)
{
	char *end;

	if (want_len == 4 && memcmp(want, "NAME", 4) == 0) {
		if (params_decode(
			got, got_len, call->name, sizeof(call->name)) &&
		    got_len > 0)
			return MATCH_YES;
		err_set(err, ERR_INVALID,
		    "a name of 1 to %d bytes is wanted "
		    "in the path, percent-encoded",
		    ROUTES_NAME_MAX);
		return MATCH_BAD;
	}
	if (want_len == 2 && memcmp(want, "ID", 2) == 0) {
		errno = 0;
		call->id = strtoll(got, &end, 10);
		if (errno == 0 && got_len > 0 && end == got + got_len &&
		    got[0] >= '0' && got[0] <= '9')
			return MATCH_YES;
		err_set(err, ERR_INVALID,
		    "a number is wanted in the path, "
		    "not \"%.*s\"",
		    (int)(got_len < 40 ? got_len : 40), got);
		return MATCH_BAD;
	}
	return want_len == got_len && memcmp(want, got, got_len) == 0
	    ? MATCH_YES
	    : MATCH_NO;
}

static enum match
match_path(
    struct call *call, const char *want, const char *got, struct err *err)
{
	enum match match = MATCH_YES, segment;

	while (*want == '/' && *got == '/') {
		size_t want_len = strcspn(++want, "/");
		size_t got_len = strcspn(++got, "/");

		segment =
		    match_segment(call, want, want_len, got, got_len, err);
		if (segment == MATCH_NO)
			return MATCH_NO;
		if (segment == MATCH_BAD)
			match = MATCH_BAD;
		want += want_len;
		got += got_len;
	}
	return *want == '\0' && *got == '\0' ? match : MATCH_NO;
}

/* ---- replies ---- */

json_t *
routes_error(const char *code, const char *message, json_t *details)
{
	json_t *error = json_object();
	json_t *text = json_string(message);

	json_object_set_new(error, "code", json_string(code));
	/* What came from outside may not be UTF-8. */
	json_object_set_new(
	    error, "message", text != NULL ? text : json_string("(not UTF-8)"));
	if (details != NULL)
		json_object_set_new(error, "details", details);
	return json_pack("{s:s, s:o}", "schema", SCHEMA, "error", error);
}

static int
http_status(enum err_code code)
{
	switch (code) {
	case ERR_INVALID:
		return 400;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_CONFLICT:
		return 409;
	case ERR_LIMIT:
	case ERR_UNREACHABLE:
		return 503;
	case ERR_NONE:
	case ERR_IO:
	case ERR_TIMEOUT:
	case ERR_ABORTED:
	case ERR_REFUSED:
	case ERR_INTERNAL:
		break;
	}
	return 500;
}

static void
reply_failure(struct routes_reply *reply, struct err *err, json_t *details)
{
	if (err->code == ERR_NONE)
		err_set(err, ERR_INTERNAL, "no answer and no reason");
	reply->status = http_status(err->code);
	reply->body = routes_error(err_code_name(err->code), err->msg, details);
}

static void
reply_no_path(struct routes_reply *reply, const char *path)
{
	json_t *details = json_array();
	char text[160];

	for (size_t i = 0; i < ROUTES_COUNT; i++) {
		snprintf(text, sizeof(text), "%s %s", routes[i].method,
		    routes[i].path);
		json_array_append_new(details, json_string(text));
	}
	snprintf(text, sizeof(text),
	    "there is no %.100s; details lists what "
	    "there is",
	    path);
	reply->status = 404;
	reply->body = routes_error("not-found", text, details);
}

static void
run_route(const struct route *route, struct call *call, struct err *err)
{
	struct routes_reply *reply = call->reply;
	cleanup_json_ref json_t *args = NULL;
	cleanup_json_ref json_t *result = NULL;

	/* Its body is not a list of arguments, but Alertmanager's. */
	if (route->handle == post_alerts)
		args = json_object();
	else if (strcmp(route->method, "POST") == 0)
		args = params_from_body(route->params, call->request->query,
		    call->request->body, call->request->body_len, err);
	else
		args = params_from_query(route->params, call->request->query,
		    call->request->body_len, err);
	if (args == NULL) {
		reply_failure(reply, err, NULL);
		return;
	}
	call->args = args;
	reply->status = route->status;
	result = route->handle(call, err);
	if (reply->follow || reply->text != NULL || reply->test != NULL)
		return;
	if (result == NULL) {
		reply_failure(reply, err, call->details);
		if (call->wait)
			json_object_set_new(reply->body, "wait", json_true());
		return;
	}
	reply->body = json_pack("{s:s}", "schema", SCHEMA);
	json_object_update(reply->body, result);
}

void
routes_finish(json_t *answer, const struct err *err, struct routes_reply *reply)
{
	struct err why = *err;

	*reply = (struct routes_reply){.status = 200};
	if (answer == NULL) {
		reply_failure(reply, &why, NULL);
		return;
	}
	reply->body = json_pack("{s:s}", "schema", SCHEMA);
	json_object_update(reply->body, answer);
}

static void
reply_wrong_method(const struct route *route, const struct call *call)
{
	struct routes_reply *reply = call->reply;
	char text[160];

	snprintf(text, sizeof(text),
	    "%s is not possible here:"
	    " it is %s %s",
	    call->request->method, route->method, route->path);
	reply->status = 405;
	reply->allow = route->method;
	reply->body = routes_error("method-not-allowed", text, NULL);
}

void
routes_dispatch(const struct control_backend *backend,
    const struct routes_request *request, struct routes_reply *reply)
{
	struct call call = {
	    .backend = backend, .request = request, .reply = reply};
	const struct route *other = NULL; /* the path, with another method */
	struct err err = {0};

	*reply = (struct routes_reply){0};
	for (size_t i = 0; i < ROUTES_COUNT; i++) {
		const struct route *route = &routes[i];
		enum match match;

		match = match_path(&call, route->path, request->path, &err);
		if (match == MATCH_NO)
			continue;
		if (strcmp(route->method, request->method) != 0) {
			other = other != NULL ? other : route;
			continue;
		}
		if (match == MATCH_BAD)
			reply_failure(reply, &err, NULL);
		else
			run_route(route, &call, &err);
		return;
	}
	if (other != NULL)
		reply_wrong_method(other, &call);
	else
		reply_no_path(reply, request->path);
}
