/*
 * A configuration is wrong in several places more often than in one, and an
 * operator who learns of them one by one edits and restarts as many times.
 * So faults are gathered, sorted as the files read, and shown together.
 *
 * The list is bounded: a file that is not a configuration at all (a binary, a
 * log) must not turn into a million lines.  Suggestions compare words without
 * case and without '_' and '-', because "sampleInterval", "sample-interval"
 * and "sample_interval" are one mistake and not three.
 */

#include "config/diag.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024 /* bytes of one fault's text */
#define WORD_MAX 64   /* longer words get no suggestion */

void
diag_init(struct diag_list *list)
{
	list->count = 0;
	list->dropped = 0;
}

void
diag_free(struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].file);
		free(list->items[i].text);
	}
	diag_init(list);
}

static char *
copy_string(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		abort();
	return copy;
}

/* Cuts what is too long on the border of a UTF-8 character. */
static void
cut_text(char *text, size_t size, int needed)
{
	size_t end = size - 4;

	if (needed < 0 || (size_t)needed < size)
		return;
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, "...", 4);
}

void
diag_add(struct diag_list *list, const char *file, unsigned line,
    unsigned column, const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct diag *item;
	va_list ap;
	int needed;

	if (list->count == DIAG_MAX) {
		list->dropped++;
		return;
	}
	va_start(ap, fmt);
	needed = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cut_text(text, sizeof(text), needed);

	item = &list->items[list->count++];
	item->file = copy_string(file);
	item->line = line;
	item->column = column;
	item->text = copy_string(text);
}

static int
compare_diags(const struct diag *a, const struct diag *b)
{
	int order = strcmp(a->file, b->file);

	if (order != 0)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return 0;
}

void
diag_print(const struct diag_list *list, struct buf *out)
{
	const struct diag *sorted[DIAG_MAX];
	const struct diag *item;

	/* Insertion keeps the order of equals, which qsort does not. */
	for (size_t i = 0; i < list->count; i++) {
		size_t at = i;

		item = &list->items[i];
		for (; at > 0 && compare_diags(sorted[at - 1], item) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = item;
	}
	for (size_t i = 0; i < list->count; i++) {
		item = sorted[i];
		if (item->line == 0)
			buf_addf(out, "%s: %s\n", item->file, item->text);
		else
			buf_addf(out, "%s:%u:%u: %s\n", item->file, item->line,
			    item->column, item->text);
	}
	if (list->dropped > 0)
		buf_addf(out, "and %zu more\n", list->dropped);
}

/* Lower case, without '_' and '-'.  Returns the length, 0 when too long. */
static size_t
fold_word(const char *word, char out[WORD_MAX])
{
	size_t len = 0;

	for (; *word != '\0'; word++) {
		if (*word == '_' || *word == '-')
			continue;
		if (len == WORD_MAX - 1)
			return 0;
		out[len++] = (char)tolower((unsigned char)*word);
	}
	out[len] = '\0';
	return len;
}

/* "policy" for "policies": most of both is the same beginning. */
static bool
same_stem(const char *a, const char *b, size_t longer)
{
	size_t same = 0;

	while (a[same] != '\0' && a[same] == b[same])
		same++;
	return same >= 5 && same * 3 + 1 >= longer * 2;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours. */
static unsigned
edit_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][WORD_MAX];
	unsigned *older = rows[0], *old = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= blen; j++)
		old[j] = (unsigned)j;
	memset(rows[0], 0, sizeof(rows[0]));
	for (size_t i = 1; i <= alen; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned cost = a[i - 1] == b[j - 1] ? 0 : 1;

			now[j] = least(
			    old[j - 1] + cost, least(old[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], older[j - 2] + 1);
		}
		spare = older;
		older = old;
		old = now;
		now = spare;
	}
	return old[blen];
}

const char *
diag_suggest(const char *word, const char *const *candidates)
{
	char folded[WORD_MAX], other[WORD_MAX];
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;
	size_t len = fold_word(word, folded);

	if (len == 0)
		return NULL;
	for (; *candidates != NULL; candidates++) {
		size_t other_len = fold_word(*candidates, other);
		size_t longer = len > other_len ? len : other_len;
		unsigned allowed = (unsigned)(longer < 6 ? 1 : longer / 3);
		unsigned distance;

		if (other_len == 0 || longer < 2)
			continue;
		distance = edit_distance(folded, len, other, other_len);
		/* "interval" means "sample_interval", after nearer words. */
		if (distance > allowed && len >= 4 && other_len >= 4 &&
		    (strstr(other, folded) != NULL ||
			strstr(folded, other) != NULL ||
			same_stem(folded, other, longer)))
			distance += WORD_MAX;
		else if (distance > allowed || distance >= longer)
			continue;
		if (distance < best_distance) {
			best = *candidates;
			best_distance = distance;
		}
	}
	return best;
}
