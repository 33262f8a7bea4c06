/*
 * What was tried at each receiver and what it said, for people who look for the
 * reason; and which receivers said that they are gone.
 *
 * The log is short, and an attempt is written in the transaction of its
 * verdict: so it costs no sync of its own.  Old ones go by the dozen, since
 * looking for them costs more than keeping a few too many.
 */
#include "record/private.h"

#include <stdio.h>

#define ATTEMPTS_PRUNE_EVERY 32

static int
attempts_prune(struct store *store, const char *receiver, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM attempts WHERE receiver = ?1 AND id <= (SELECT id"
	    " FROM attempts INDEXED BY attempts_receiver WHERE receiver = ?1"
	    " ORDER BY id DESC LIMIT 1 OFFSET ?2)";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	query_bind_int(&q, STORE_ATTEMPTS_MAX);
	return query_run(&q, NULL, err);
}

int
store_add_attempt(
    struct store *store, const struct store_attempt *row, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO attempts (outbox_id, receiver, at, took, events,"
	    " code, error, answer) VALUES (?,?,?,?,?,?,?,?)";
	char answer[STORE_ANSWER_MAX + 1];
	struct query q = query_open(store, sql);
	struct store_backlog *of;

	snprintf(answer, sizeof(answer), "%s",
	    row->answer != NULL ? row->answer : "");
	query_bind_int(&q, row->outbox_id);
	query_bind_text(&q, row->receiver);
	query_bind_int(&q, row->at.ms);
	query_bind_int(&q, row->took_ms);
	query_bind_int(&q, row->events);
	query_bind_int(&q, row->code);
	query_bind_text(&q, row->error);
	query_bind_text(&q, answer[0] != '\0' ? answer : NULL);
	if (query_insert(&q, err) < 0)
		return -1;
	of = outbox_backlog(store, row->receiver);
	of->attempts = (of->attempts + 1) % ATTEMPTS_PRUNE_EVERY;
	return of->attempts == 1 ? attempts_prune(store, row->receiver, err)
				 : 0;
}

int
store_put_disabled(
    struct store *store, const struct store_disabled *row, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO disabled (receiver, url_hash, since, why)"
	    " VALUES (?,?,?,?) ON CONFLICT (receiver) DO UPDATE SET"
	    " url_hash = excluded.url_hash, since = excluded.since,"
	    " why = excluded.why";
	struct query q = query_open(store, sql);

	query_bind_text(&q, row->receiver);
	query_bind_text(&q, row->url_hash);
	query_bind_int(&q, row->since.ms);
	query_bind_text(&q, row->why);
	return query_run(&q, NULL, err);
}

int
store_remove_disabled(
    struct store *store, const char *receiver, struct err *err)
{
	static const char sql[] = "DELETE FROM disabled WHERE receiver = ?";
	struct query q = query_open(store, sql);

	query_bind_text(&q, receiver);
	return query_run(&q, NULL, err);
}

int
store_each_disabled(struct store *store,
    void (*fn)(const struct store_disabled *row, void *arg), void *arg,
    struct err *err)
{
	static const char sql[] =
	    "SELECT receiver, url_hash, since, why FROM disabled"
	    " ORDER BY receiver";
	struct query q = query_open(store, sql);
	int rc;

	while ((rc = query_next(&q, err)) > 0) {
		struct store_disabled row = {0};

		row.receiver = query_text(&q);
		row.url_hash = query_text(&q);
		row.since.ms = query_int(&q);
		row.why = query_text(&q);
		fn(&row, arg);
	}
	query_close(&q);
	return rc;
}
