/*
 * What is written of a decision, and when it is another one.
 *
 * Evaluations come several times a second, and each says a little else: "tried
 * again in 4.8 s", "cpu = 91 %".  So a decision is compared by a fingerprint in
 * which numbers are blanked out, unless they are part of a word (kvm1 and kvm2 are
 * not the same).  Guests are added up and not chained, because an order by load
 * changes all the time.
 */
#include "act/decisions_priv.h"

#include <ctype.h>
#include <string.h>

#include "model/hash.h"

#define CUT_REJECTED 3
#define FATES_MAX 16

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The length of a unit at the beginning of the text: "ms", " KiB/s", "%". */
static size_t
unit_length(const char *text)
{
	static const char *const units[] = {"ms", "s", "m", "h", "d", "%", "B",
	    "KiB", "MiB", "GiB", "TiB", "bytes", "cores"};
	size_t space = text[0] == ' ', longest = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i]);

		if (strncmp(text + space, units[i], len) != 0)
			continue;
		if (strncmp(text + space + len, "/s", 2) == 0)
			len += 2;
		/* "1m30s": another number may follow at once. */
		if (isalpha((unsigned char)text[space + len]))
			continue;
		if (space + len > longest)
			longest = space + len;
	}
	return longest;
}

static uint64_t
print_reason(uint64_t hash, const char *text)
{
	char before = ' ';

	if (text == NULL)
		return hash_string(hash, NULL);
	while (*text != '\0') {
		if (!isdigit((unsigned char)*text) || is_word(before)) {
			hash = hash_bytes(hash, text, 1);
			before = *text++;
			continue;
		}
		/* Several in a row are one: "1m 30s" becomes "29 s". */
		do {
			text += strspn(text, "0123456789.,:");
			text += unit_length(text);
			if (text[0] == ' ' && isdigit((unsigned char)text[1]))
				text++;
		} while (isdigit((unsigned char)*text));
		hash = hash_bytes(hash, "#", 1);
		before = '#';
	}
	return hash_bytes(hash, "", 1);
}

static uint64_t
print_item(const struct evaluate_item *item)
{
	uint64_t hash = hash_string(HASH_START, item->vm->uuid);
	bool goes =
	    item->fate == EVALUATE_START || item->fate == EVALUATE_MOVING;

	hash = hash_string(hash, evaluate_fate_name(item->fate));
	/* Where one that waits would go now, depends on the load of hosts. */
	if (goes && item->choice.target != NULL)
		hash = hash_string(hash, item->choice.target->name);
	return print_reason(
	    hash, item->why != NULL || goes ? item->why : item->choice.why);
}

uint64_t
decisions_print(const struct evaluate_decision *decision)
{
	uint64_t hash = hash_number(HASH_START, decision->mode);
	uint64_t items = 0;

	hash = hash_number(hash, decision->act);
	hash = print_reason(hash, decision->why);
	hash = print_reason(hash, decision->gate);
	for (size_t i = 0; i < decision->seen_count; i++)
		hash = hash_number(hash, decision->seen[i].phase);
	for (size_t i = 0; i < decision->item_count; i++)
		items += print_item(&decision->items[i]);
	return hash_number(hash, (int64_t)items);
}

/* How many guests have each fate; those that people ask about first come first. */
struct tally {
	struct {
		const char *fate;
		size_t count;
	} rows[FATES_MAX];
	size_t count;
};

static void
tally_add(struct tally *tally, const char *fate, size_t by)
{
	size_t i = 0;

	while (i < tally->count && strcmp(tally->rows[i].fate, fate) != 0)
		i++;
	if (i == FATES_MAX)
		return;
	if (i == tally->count) {
		tally->rows[i].fate = fate;
		tally->rows[i].count = 0;
		tally->count++;
	}
	tally->rows[i].count += by;
}

void
decisions_summarise(const struct evaluate_decision *decision, struct buf *out)
{
	static const enum evaluate_fate first[] = {
	    EVALUATE_START, EVALUATE_MOVING, EVALUATE_WAIT, EVALUATE_BLOCKED};
	struct tally tally = {.count = 0};
	bool any = false;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		tally_add(&tally, evaluate_fate_name(first[i]), 0);
	for (size_t i = 0; i < decision->item_count; i++)
		tally_add(
		    &tally, evaluate_fate_name(decision->items[i].fate), 1);
	for (size_t i = 0; i < tally.count; i++) {
		const char *fate = tally.rows[i].fate;
		size_t count = tally.rows[i].count;
		bool verb =
		    strcmp(fate, "start") == 0 || strcmp(fate, "wait") == 0;

		if (count == 0)
			continue;
		buf_addf(out, "%s%zu %s%s", any ? ", " : "", count, fate,
		    verb && count == 1 ? "s" : "");
		any = true;
	}
	if (!any)
		buf_adds(out, "no guest to move");
}

/* ---- cutting ---- */

static size_t
text_size(const json_t *json)
{
	return json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

static void
cut_rejected(json_t *item)
{
	json_t *rejected = json_object_get(item, "rejected");
	size_t count = json_array_size(rejected);

	if (count <= CUT_REJECTED)
		return;
	for (size_t i = count; i > CUT_REJECTED; i--)
		json_array_remove(rejected, i - 1);
	json_object_set_new(item, "rejected_left_out",
	    json_integer((json_int_t)(count - CUT_REJECTED)));
}

void
decisions_cut(json_t *object, size_t max)
{
	json_t *items = json_object_get(object, "items"), *item;
	size_t i, count = json_array_size(items), size = text_size(object);
	size_t kept = count;

	if (size <= max)
		return;
	json_array_foreach(items, i, item) cut_rejected(item);
	size = text_size(object);
	if (size <= max)
		return;
	/* Room for the count itself. */
	size += strlen("\"items_left_out\":,") + 10;
	while (kept > 0 && size > max)
		size -= text_size(json_array_get(items, --kept)) + 1;
	for (i = count; i > kept; i--)
		json_array_remove(items, i - 1);
	json_object_set_new(
	    object, "items_left_out", json_integer((json_int_t)(count - kept)));
}
