/*
 * One round: what is on, and what was in the last round and is over, in one
 * request.
 *
 * A resolve may be overtaken: by a raise that was tried again, or by a round that
 * was under way when it was sent.  Then something is on at Alertmanager that is
 * over, until it expires.  So what the last round told and this one would not is
 * told once more, as over, until a round is accepted.
 *
 * Alertmanager refuses a whole request for one alert that begins after its end,
 * as there would be when the clock was set back.
 */
#include "notify/keeper_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "notify/conditions.h"
#include "notify/secret.h"
#include "notify/state.h"

#define KEEPER_ANSWER_MAX 1024
#define KEEPER_OVER_MAX STORE_CONDITIONS_MAX /* that are told as over again */

/* ---- what is sent ---- */

/* One round of one receiver, while it is put together. */
struct keeper_round {
	struct keeper_receiver *receiver;
	struct wall now;
	json_t *alerts;
	struct map *told;
};

static void
keeper_add_alert(struct keeper_round *round, const char *type, const char *body,
    struct wall since, struct wall ends)
{
	const struct format_event event = {.id = "",
	    .type = type,
	    .at = since.ms < round->now.ms ? since : round->now,
	    .body = body};
	json_t *alert =
	    alertmanager_alert(round->receiver->settings, &event, ends, NULL);

	if (alert != NULL)
		(void)json_array_append_new(round->alerts, alert);
}

static bool
keeper_is_wanted(
    const struct keeper_round *round, const struct store_condition *row)
{
	json_t *event = json_loads(row->body, 0, NULL);
	struct receiver_event chosen =
	    catalog_event(row->type, json_object_get(event, "data"));
	bool wanted = receiver_wants(round->receiver->settings, &chosen);

	json_decref(event);
	return wanted;
}

static struct keeper_told *
keeper_note(struct keeper_round *round, const char *key, const char *type,
    const char *body, struct wall since)
{
	struct keeper_told *told = calloc(1, sizeof(*told));

	if (told == NULL)
		abort();
	told->type = str_dup(type);
	told->body = str_dup(body);
	told->since = since;
	map_set(round->told, key, told);
	return told;
}

static void
keeper_add(const struct store_condition *row, void *arg)
{
	struct keeper_round *round = arg;
	const struct settings_receiver *s = round->receiver->settings;
	struct wall ends = {round->now.ms + alertmanager_holds_ms(s)};

	if (!keeper_is_wanted(round, row))
		return;
	keeper_add_alert(round, row->type, row->body, row->since, ends);
	(void)keeper_note(round, row->key, row->type, row->body, row->since);
}

void
keeper_free_told(void *value)
{
	struct keeper_told *told = value;

	free(told->type);
	free(told->body);
	free(told);
}

/* Those of the last round that are on no more. */
static void
keeper_add_ended(struct keeper_round *round)
{
	const struct map *before = round->receiver->told;
	int count = 0;
	const char *key;
	void *value;
	size_t i = 0;

	while (map_next(before, &i, &key, &value)) {
		const struct keeper_told *told = value;

		if (map_get(round->told, key) != NULL)
			continue;
		keeper_add_alert(
		    round, told->type, told->body, told->since, round->now);
		if (count++ == KEEPER_OVER_MAX)
			continue;
		keeper_note(round, key, told->type, told->body, told->since)
		    ->over = true;
	}
}

/* A round was accepted. */
static void
keeper_forget_ended(struct keeper_receiver *r)
{
	const char *key;
	void *value;
	size_t i = 0;

	while (map_next(r->told, &i, &key, &value)) {
		if (((const struct keeper_told *)value)->over)
			(void)map_remove(r->told, key);
	}
}

/* ---- sending ---- */

static void
keeper_fail(struct keeper_receiver *r, const char *why)
{
	bool news = strncmp(r->trouble, why, sizeof(r->trouble) - 1) != 0;

	(news ? log_warn : log_debug)("notify",
	    "receiver %s: what is on could not be told again: %s; the next "
	    "round tries it anew, and without one its alerts expire",
	    r->name, why);
	(void)err_copy_line(r->trouble, sizeof(r->trouble), why);
}

static void
keeper_on_status(int code, void *arg)
{
	(void)code;
	(void)arg;
}

static void
keeper_on_done(const struct http_answer *answer, void *arg)
{
	struct keeper_receiver *r = arg;
	char why[160];

	r->in_flight = false;
	if (answer->code >= 200 && answer->code < 300) {
		if (r->trouble[0] != '\0')
			log_info("notify",
			    "receiver %s: what is on is told again", r->name);
		r->trouble[0] = '\0';
		keeper_forget_ended(r);
		return;
	}
	if (answer->code != 0)
		(void)snprintf(why, sizeof(why), "HTTP %d", answer->code);
	else
		(void)snprintf(why, sizeof(why), "%s",
		    answer->error != NULL ? answer->error : "no answer");
	keeper_fail(r, why);
}

static struct http_transport
keeper_transport(const struct settings_receiver *s)
{
	return (struct http_transport){.unix_socket = s->unix_socket,
	    .proxy = s->proxy,
	    .ca_file = s->ca_file,
	    .cert_file = s->cert_file,
	    .key_file = s->key_file,
	    .server_name = s->server_name,
	    .connect_timeout_ms = s->connect_timeout_ms};
}

/* "Name: value" of the settings and of the format; to be freed with the array.
 * Constant strings of others are copied, since there are two owners. */
static char **
keeper_headers(const struct settings_receiver *s,
    const struct secret_headers *signed_by, size_t *out_count)
{
	size_t count = 0;
	char **lines =
	    calloc(s->header_count + signed_by->count + 1, sizeof(*lines));

	if (lines == NULL)
		abort();
	for (size_t i = 0; i < signed_by->count; i++)
		lines[count++] = str_dup(secret_header(signed_by, i));
	for (size_t i = 0; i < s->header_count; i++) {
		const struct receiver_header *h = &s->headers[i];
		size_t size = strlen(h->key) + strlen(h->value) + 3;

		lines[count] = malloc(size);
		if (lines[count] == NULL)
			abort();
		(void)snprintf(
		    lines[count++], size, "%s: %s", h->key, h->value);
	}
	*out_count = count;
	return lines;
}

static int
keeper_post(struct keeper_receiver *r, const struct secret_set *set,
    const char *body, struct err *err)
{
	const struct settings_receiver *s = r->settings;
	const struct http_transport transport = keeper_transport(s);
	struct secret_headers signed_by = {.count = 0};
	struct http_post post = {.transport = &transport,
	    .headers = {"Content-Type: application/json"},
	    .body = body,
	    .len = strlen(body),
	    .timeout_ms = s->timeout_ms,
	    .answer_max = KEEPER_ANSWER_MAX,
	    .on_status = keeper_on_status,
	    .on_done = keeper_on_done,
	    .arg = r};
	char *path = state_path(set->url, ALERTMANAGER_PATH), **lines;
	char *url = NULL;
	size_t size = strlen(set->url) + sizeof(ALERTMANAGER_PATH);
	int rc = secret_sign(s, set, "", clock_wall_now().ms / 1000, body,
	    post.len, &signed_by, err);

	if (rc == 0) {
		url = malloc(size);
		if (url == NULL)
			abort();
		(void)snprintf(
		    url, size, "%s%s", set->url, path != NULL ? path : "");
		post.url = url;
		lines = keeper_headers(s, &signed_by, &post.more_count);
		post.more_headers = (const char *const *)lines;
		if (http_post(r->keeper->http, &post, err) == NULL)
			rc = -1;
		for (size_t i = 0; i < post.more_count; i++) {
			explicit_bzero(lines[i], strlen(lines[i]));
			free(lines[i]);
		}
		free(lines);
		explicit_bzero(url, size);
		free(url);
	}
	explicit_bzero(&signed_by, sizeof(signed_by));
	free(path);
	return rc;
}

/* A list that is empty is not sent. */
static int
keeper_send(struct keeper_receiver *r, const json_t *alerts, struct err *err)
{
	struct secret_set set;
	char *body;
	int rc;

	if (json_array_size(alerts) == 0 ||
	    conditions_is_disabled(r->keeper->store, r->name))
		return 0;
	if (secret_load(r->settings, &set, err) != 0)
		return -1;
	body = json_dumps(alerts, JSON_COMPACT);
	rc = body != NULL ? keeper_post(r, &set, body, err)
			  : err_set(err, ERR_IO, "memory is short");
	free(body);
	secret_clear(&set);
	r->in_flight = rc == 0;
	return rc;
}

void
keeper_tell(struct keeper_receiver *r)
{
	struct keeper_round round = {.receiver = r,
	    .now = clock_wall_now(),
	    .alerts = json_array(),
	    .told = map_new(keeper_free_told)};
	struct err err = {0};
	int rc =
	    store_each_condition(r->keeper->store, keeper_add, &round, &err);

	if (rc == 0) {
		keeper_add_ended(&round);
		rc = keeper_send(r, round.alerts, &err);
	}
	json_decref(round.alerts);
	if (rc != 0) {
		keeper_fail(r, err.msg);
		map_free(round.told);
		return;
	}
	map_free(r->told);
	r->told = round.told;
}
