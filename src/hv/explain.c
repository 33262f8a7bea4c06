/*
 * What libvirt and QEMU say, put so that a person knows what to do.
 *
 * The hypervisor's messages name the symptom at the layer that tripped over
 * it: a missing bridge is an MTU that cannot be read, a forgotten disk file is
 * a monitor that hung up.  Error codes do not help, most of these are
 * "internal error".  So the text itself is looked at, by a table of
 * substrings; a row matches when all of its substrings occur.
 *
 * Messages carry names and paths, which whoever owns a guest may choose, and
 * nobody shall be able to name a guest so that its failures look like others.
 * libvirt puts names between quotes, QEMU quotes its command line as JSON:
 * both are taken out before the table is asked.  An address (host:port) stays.
 *
 * Two questions decide what a drain does next.  `permanent`: the same move to
 * the same target fails again until a person acts, so it is not repeated.
 * `any_target`: the cause lies with the guest or its source, so no other
 * target is tried either.
 */
#include "hv/explain.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "hv/explain_table.h"

#define EXPLAIN_TEXT_MAX 2048

static const struct hv_explanation explain_other = {
    .token = "other",
};

static bool
explain_is_word(char c)
{
	return isalnum((unsigned char)c) != 0;
}

/* An apostrophe within a word is no quote. */
static const char *
explain_quote_end(const char *begin, const char *at)
{
	if (at > begin && explain_is_word(at[-1]))
		return NULL;
	for (const char *end = strchr(at + 1, '\''); end != NULL;
	     end = strchr(end + 1, '\'')) {
		if (!explain_is_word(end[1]))
			return end;
	}
	return NULL;
}

static bool
explain_is_address(const char *from, const char *to)
{
	const char *at = to;

	while (at > from && isdigit((unsigned char)at[-1]))
		at--;
	if (at == to || at == from || at[-1] != ':')
		return false;
	for (; from < to; from++) {
		if (isspace((unsigned char)*from))
			return false;
	}
	return true;
}

/* The message without what others wrote into it. */
static void
explain_strip(const char *message, char out[EXPLAIN_TEXT_MAX])
{
	const char *json_end = strrchr(message, '}');
	size_t len = 0;

	for (const char *at = message;
	     *at != '\0' && len + 2 < EXPLAIN_TEXT_MAX; at++) {
		const char *end = NULL;

		out[len++] = *at;
		if (*at == '{' && json_end != NULL && json_end > at)
			end = json_end;
		else if (*at == '\'')
			end = explain_quote_end(message, at);
		if (end == NULL)
			continue;
		if (explain_is_address(at + 1, end)) {
			while (++at < end && len + 2 < EXPLAIN_TEXT_MAX)
				out[len++] = *at;
		}
		at = end;
		out[len++] = *end;
	}
	out[len] = '\0';
}

static bool
explain_row_matches(const struct explain_row *row, const char *text)
{
	for (size_t i = 0; i < EXPLAIN_NEEDLES; i++) {
		if (row->needles[i] != NULL &&
		    strstr(text, row->needles[i]) == NULL)
			return false;
	}
	return true;
}

const struct hv_explanation *
hv_explain(const char *message)
{
	char text[EXPLAIN_TEXT_MAX];

	if (message == NULL)
		return &explain_other;
	explain_strip(message, text);
	for (size_t i = 0; i < explain_row_count; i++) {
		if (explain_row_matches(&explain_rows[i], text))
			return &explain_rows[i].says;
	}
	return &explain_other;
}
