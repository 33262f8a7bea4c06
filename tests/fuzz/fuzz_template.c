/*
 * Any text as a template, for each kind of content type.  What is refused has a
 * place inside of the text and a reason; what is taken is rendered for every
 * event that there is: the outcome is JSON where it has to be, and in a form no
 * value adds a separator.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog.h"
#include "notify/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const content_types[] = {
    "application/json", "application/x-www-form-urlencoded", "text/plain"};

static json_t *
all_events(void)
{
	static json_t *all;

	if (all != NULL)
		return all;
	all = json_array();
	for (size_t i = 0; catalog_types[i].type != NULL; i++)
		json_array_append_new(
		    all, catalog_sample(catalog_types[i].type));
	return all;
}

static size_t
count_char(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

static void
render(const struct template *t, const char *text, size_t type,
    const json_t *events)
{
	struct err err = {.code = ERR_NONE};
	size_t len = 0;
	char *out = template_render(t, events, &len, &err);
	json_t *json;

	if (out == NULL) {
		if (err.code == ERR_NONE || err.msg[0] == '\0')
			abort();
		return;
	}
	if (strlen(out) != len)
		abort();
	if (type == 0) {
		json = json_loads(out, JSON_DECODE_ANY, NULL);
		if (json == NULL)
			abort();
		json_decref(json);
	}
	if (type == 1 && count_char(out, '&') > count_char(text, '&'))
		abort();
	free(out);
}

static void
try_type(const char *text, size_t type)
{
	struct template_place place = {0, 0, 0};
	struct err err = {.code = ERR_NONE};
	struct template *t =
	    template_compile(text, content_types[type], &place, &err);
	json_t *events = all_events(), *one;
	size_t i;

	if (t == NULL) {
		if (err.msg[0] == '\0' || place.line == 0 ||
		    place.line > count_char(text, '\n') + 1 ||
		    place.column == 0 || place.offset > strlen(text) ||
		    place.column > place.offset + 1)
			abort();
		return;
	}
	render(t, text, type, events);
	json_array_foreach(events, i, one)
	{
		json_t *list = json_pack("[O]", one);

		render(t, text, type, list);
		json_decref(list);
	}
	template_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < 3; i++)
		try_type(text, i);
	free(text);
	return 0;
}
