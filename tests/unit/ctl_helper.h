#ifndef DROVER_TESTS_CTL_HELPER_H
#define DROVER_TESTS_CTL_HELPER_H

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ctl/text.h"

/* What the tests of droverctl's output share: `out` is rendered into and
 * compared. */

static const struct style pipe_style = {.utf8 = true};
static struct buf out;

static inline void
setup(void)
{
	out = BUF_INIT(1 << 22);
}

static inline void
teardown(void)
{
	buf_free(&out);
}

static inline json_t *
parse(const char *text)
{
	char *copy = strdup(text);
	json_error_t where;
	json_t *json;

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, &where);
	ck_assert_msg(json != NULL, "%s: %s", where.text, text);
	free(copy);
	return json;
}

static inline void
expect_text(const char *want)
{
	ck_assert_str_eq(buf_str(&out), want);
	buf_clear(&out);
}

static inline void
expect_part(const char *want)
{
	ck_assert_msg(strstr(buf_str(&out), want) != NULL,
	    "\"%s\" is not in:\n%s", want, buf_str(&out));
}

static inline void
expect_no_part(const char *unwanted)
{
	ck_assert_msg(strstr(buf_str(&out), unwanted) == NULL,
	    "\"%s\" is in:\n%s", unwanted, buf_str(&out));
}

/* The widest line, and how many there are. */
static inline size_t
widest_line(size_t *out_count)
{
	const char *line = buf_str(&out);
	size_t widest = 0;

	*out_count = 0;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		char *copy = strndup(line, len);
		size_t width = text_width(copy);

		free(copy);
		widest = width > widest ? width : widest;
		line += len + (line[len] == '\n');
		(*out_count)++;
	}
	return widest;
}

static inline TCase *
add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

#endif
