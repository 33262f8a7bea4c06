/*
 * Labels that operators give, which outlive a restart, a move and the loss of a
 * host, because rules about where a guest may be depend on them.  A change of
 * several labels is one: "app=db tier-" must not leave the guest with half of it.
 */
#include "act/labels.h"

#include <string.h>

#include "base/label.h"

static void
load_label(const char *uuid, const char *key, const char *value, void *arg)
{
	inventory_set_label(arg, uuid, key, value);
}

static void
load_move(const char *uuid, struct wall ended, void *arg)
{
	inventory_set_moved(arg, uuid, ended);
}

int
labels_load(struct store *store, struct inventory *inventory, struct err *err)
{
	if (store_each_label(store, load_label, inventory, err) < 0 ||
	    store_each_last_move(store, load_move, inventory, err) < 0)
		return -1;
	return 0;
}

/* How many labels the guest would have more (or less). */
static int
check_changes(const struct inventory *inventory, const char *uuid,
    json_t *changes, struct err *err)
{
	size_t count = inventory_count_labels(inventory, uuid);
	const char *key;
	json_t *value;

	json_object_foreach(changes, key, value)
	{
		bool known = inventory_get_label(inventory, uuid, key) != NULL;

		if (label_check_key(key, err) < 0)
			return -1;
		if (!json_is_null(value) && !json_is_string(value))
			return err_set(err, ERR_INVALID,
			    "%s: the value of a label is a text, or null to "
			    "take it back",
			    key);
		if (json_is_string(value) &&
		    label_check_value(json_string_value(value), err) < 0)
			return err_prefix(err, "%s", key);
		count += json_is_string(value) && !known;
		count -= json_is_null(value) && known;
	}
	if (count > LABELS_MAX)
		return err_set(err, ERR_INVALID,
		    "a guest has at most %d labels", LABELS_MAX);
	return 0;
}

static int
write_changes(struct store *store, const struct inventory *inventory,
    const char *uuid, json_t *changes, struct err *err)
{
	int count = 0;
	const char *key;
	json_t *value;

	json_object_foreach(changes, key, value)
	{
		const char *before = inventory_get_label(inventory, uuid, key);
		const char *now = json_string_value(value);

		if (before == NULL ? now == NULL
				   : now != NULL && strcmp(before, now) == 0)
			continue;
		if (store_put_label(store, uuid, key, now, err) < 0)
			return -1;
		count++;
	}
	return count;
}

int
labels_change(struct store *store, struct inventory *inventory,
    const char *uuid, json_t *changes, struct err *err)
{
	const char *key;
	json_t *value;
	int count;

	if (check_changes(inventory, uuid, changes, err) < 0 ||
	    store_begin(store, err) < 0)
		return -1;
	count = write_changes(store, inventory, uuid, changes, err);
	if (count < 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, err) < 0)
		return -1;
	json_object_foreach(changes, key, value)
	    inventory_set_label(inventory, uuid, key, json_string_value(value));
	return count;
}
