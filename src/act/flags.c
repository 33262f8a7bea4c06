/*
 * Flags live in the store; here is the copy that the daemon works with.  The
 * order is always: disk first, then the copy, then whoever depends on it.
 */
#include "act/flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

struct flags {
	struct store *store;
	struct announce *announce;
	void (*changed)(const struct store_flag *flag, void *arg);
	void *arg;
	struct map *map; /* host -> struct store_flag, owned strings */
};

static void
flag_free(void *p)
{
	struct store_flag *f = p;

	free((char *)(uintptr_t)f->host);
	free((char *)(uintptr_t)f->source);
	free((char *)(uintptr_t)f->by);
	free((char *)(uintptr_t)f->reason);
	free(f);
}

static struct store_flag *
flag_copy(const struct store_flag *f)
{
	struct store_flag *c = malloc(sizeof(*c));

	if (c == NULL)
		abort();
	*c = *f;
	c->host = str_dup(f->host);
	c->source = str_dup(f->source);
	c->by = str_dup(f->by);
	c->reason = str_dup(f->reason);
	return c;
}

struct flags *
flags_new(struct store *store, struct announce *announce,
    void (*changed)(const struct store_flag *flag, void *arg), void *arg)
{
	struct flags *flags = calloc(1, sizeof(*flags));

	if (flags == NULL)
		abort();
	flags->store = store;
	flags->announce = announce;
	flags->changed = changed;
	flags->arg = arg;
	flags->map = map_new(flag_free);
	return flags;
}

void
flags_free(struct flags *flags)
{
	if (flags == NULL)
		return;
	map_free(flags->map);
	free(flags);
}

static void
load_one(const struct store_flag *flag, void *arg)
{
	struct flags *flags = arg;

	map_set(flags->map, flag->host, flag_copy(flag));
}

int
flags_load(struct flags *flags, struct err *err)
{
	const char *host;
	void *value;
	size_t i = 0;

	if (store_each_flag(flags->store, load_one, flags, err) < 0)
		return -1;
	while (map_next(flags->map, &i, &host, &value))
		flags->changed(value, flags->arg);
	return 0;
}

static int
write_flag(struct flags *flags, const struct store_flag *f, struct err *err)
{
	char subject[160];
	json_t *data;

	data = json_pack("{s:s, s:b, s:b, s:s, s:s, s:s*}", "host", f->host,
	    "maintenance", f->maintenance, "cordoned", f->cordoned, "source",
	    f->source, "by", f->by, "reason", f->reason);
	(void)snprintf(subject, sizeof(subject), "host/%s", f->host);
	if (store_begin(flags->store, err) < 0) {
		json_decref(data);
		return -1;
	}
	if (store_put_flag(flags->store, f, err) < 0) {
		json_decref(data);
		goto fail;
	}
	if (announce_event(
		flags->announce, "host.maintenance", subject, data, err) < 0)
		goto fail;
	if (store_commit(flags->store, err) == 0)
		return 0;
	announce_forget(flags->announce);
	return -1;
fail:
	store_rollback(flags->store);
	announce_forget(flags->announce);
	return -1;
}

int
flags_set(struct flags *flags, const struct store_flag *flag, struct err *err)
{
	const struct store_flag *old = flags_get(flags, flag->host);
	bool set = flag->maintenance || flag->cordoned;
	struct store_flag f = *flag;
	struct store_flag *now;

	if (old == NULL && !set)
		return 0;
	/* Whose it is counts as well: what an operator asks for does not go with
	 * a file. */
	if (old != NULL && old->maintenance == f.maintenance &&
	    old->cordoned == f.cordoned && strcmp(old->source, f.source) == 0)
		return 0;
	f.since = clock_wall_now();
	if (write_flag(flags, &f, err) < 0)
		return err_prefix(err, "%s: the flag is unchanged", f.host);
	now = flag_copy(&f);
	if (set)
		map_set(flags->map, f.host, now);
	else
		map_remove(flags->map, f.host);
	log_info("flag", "%s: %s, by %s%s%s", now->host,
	    now->maintenance    ? "in maintenance"
		: now->cordoned ? "cordoned"
				: "no flag any more",
	    now->by, now->reason != NULL ? ": " : "",
	    now->reason != NULL ? now->reason : "");
	announce_flush(flags->announce);
	flags->changed(now, flags->arg);
	if (!set)
		flag_free(now);
	return 1;
}

const struct store_flag *
flags_get(const struct flags *flags, const char *host)
{
	return map_get(flags->map, host);
}

void
flags_each(const struct flags *flags,
    void (*fn)(const struct store_flag *flag, void *arg), void *arg)
{
	const char *host;
	void *value;
	size_t i = 0;

	while (map_next(flags->map, &i, &host, &value))
		fn(value, arg);
}
