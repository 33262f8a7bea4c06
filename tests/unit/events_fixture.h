#ifndef DROVER_TESTS_EVENTS_FIXTURE_H
#define DROVER_TESTS_EVENTS_FIXTURE_H

#include <check.h>
#include <jansson.h>

#include "notify/catalog.h"
#include "record/store.h"

/*
 * Each event that a test has made is as the catalogue says: what is documented is
 * there, and what is there is documented.  For the end of fixtures.
 */
static inline void
events_check_one(const struct store_event *event, void *arg)
{
	json_t *json = json_loads(event->body, 0, NULL);
	struct err err = {0};

	ck_assert_msg(catalog_validate(json, &err) == 0,
	    "an event that the catalogue does not describe: %s\n%s", err.msg,
	    event->body);
	json_decref(json);
	*(int64_t *)arg = event->seq;
}

static inline void
events_check_store(struct store *store)
{
	int64_t seq = 0, before;

	do {
		before = seq;
		ck_assert_int_eq(store_each_event(store, seq, 100,
				     events_check_one, &seq, NULL),
		    0);
	} while (seq != before);
}

#endif
