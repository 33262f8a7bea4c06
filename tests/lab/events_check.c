/*
 * Reads JSON lines from files: CloudEvents, or what tests/lab/receiver logs of
 * the requests that it got.  Says which events are not as the catalogue
 * describes them, and fails then.  What is no CloudEvent is not counted: other
 * formats have bodies of their own.
 *
 *	events_check FILE...
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notify/catalog.h"

static int checked, wrong;

static void
check_event(const json_t *event)
{
	struct err err = {0};

	if (json_object_get(event, "specversion") == NULL)
		return;
	checked++;
	if (catalog_validate(event, &err) == 0)
		return;
	wrong++;
	(void)printf("%s\n", err.msg);
	(void)json_dumpf(event, stdout, JSON_COMPACT);
	(void)printf("\n");
}

static void
check_body(const char *text)
{
	json_t *body = json_loads(text, 0, NULL), *event;
	size_t i;

	if (json_is_array(body)) {
		json_array_foreach(body, i, event) check_event(event);
	} else if (body != NULL) {
		check_event(body);
	}
	json_decref(body);
}

/* A line of the log has the request's body as a text. */
static void
check_line(const char *line)
{
	json_t *entry = json_loads(line, 0, NULL);
	const char *body = json_string_value(json_object_get(entry, "body"));

	check_body(body != NULL ? body : line);
	json_decref(entry);
}

static int
check_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	while (getline(&line, &size, f) >= 0)
		check_line(line);
	free(line);
	(void)fclose(f);
	return 0;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (check_file(argv[i]) < 0)
			return 2;
	(void)printf("%d events, %d not as described\n", checked, wrong);
	return wrong > 0;
}
