/*
 * Any bytes as what Alertmanager posts.  What is taken has proper labels, can
 * be applied in any order and read back from what is kept of it; what is not
 * has a reason.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "act/alertset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(const struct alertset_item *item, void *arg)
{
	(void)arg;
	if (item->identity == NULL)
		abort();
}

static void
check_news(struct arena *arena, const struct alert_news *news)
{
	struct snap_alert again = {0};

	if (news->alert.name == NULL || news->identity == NULL ||
	    news->alert.label_count == 0 ||
	    news->alert.label_count > ALERT_LABELS_MAX)
		abort();
	for (size_t i = 1; i < news->alert.label_count; i++)
		if (strcmp(news->alert.label_keys[i - 1],
			news->alert.label_keys[i]) >= 0)
			abort();
	if (alert_read_labels(arena, news->identity, &again) != 0 ||
	    again.label_count != news->alert.label_count ||
	    strcmp(again.name, news->alert.name) != 0)
		abort();
}

static void
apply(const struct alert_batch *batch)
{
	struct settings settings = {
	    .alerts_host_label = "instance", .alerts_expire_ms = 60000};
	struct alertset *set = alertset_new();
	struct wall now = {INT64_C(1764547200000)};
	const struct alertset_item *item;
	size_t count;

	alertset_configure(set, &settings);
	for (size_t i = 0; i < 2 * batch->count; i++) {
		alertset_apply(
		    set, &batch->items[i % batch->count], now, &item);
		now.ms += 1000;
	}
	(void)alertset_items(set, &count);
	if (count > batch->count)
		abort();
	now.ms += 60000;
	alertset_expire(set, now, ignore, NULL);
	(void)alertset_items(set, &count);
	if (count != 0)
		abort();
	alertset_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)256 << 20);
	struct err err = {.code = ERR_NONE};
	struct alert_batch *batch =
	    alert_read(arena, (const char *)data, size, &err);

	if (batch == NULL && (err.code != ERR_INVALID || err.msg[0] == '\0'))
		abort();
	for (size_t i = 0; batch != NULL && i < batch->count; i++)
		check_news(arena, &batch->items[i]);
	if (batch != NULL)
		apply(batch);
	arena_free(arena);
	return 0;
}
