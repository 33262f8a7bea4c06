#ifndef DROVER_TESTS_CTL_RUN_H
#define DROVER_TESTS_CTL_RUN_H

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl_helper.h"

/* Whole commands of droverctl, in a folder of their own: what they print is in
 * `out`, what they complain of in the file `complaints`. */

static char folder[] = "/tmp/check_ctl.XXXXXX";
static char snapshot[128], printed[128], complaints[128], daemon_socket[128];

static inline void
make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(snapshot, sizeof(snapshot), "%s/s.yaml", folder);
	snprintf(printed, sizeof(printed), "%s/out", folder);
	snprintf(complaints, sizeof(complaints), "%s/err", folder);
	snprintf(daemon_socket, sizeof(daemon_socket), "%s/sock", folder);
}

static inline void
remove_folder(void)
{
	unlink(snapshot);
	unlink(printed);
	unlink(complaints);
	unlink(daemon_socket);
	rmdir(folder);
}

static inline void
put(const char *text)
{
	FILE *file = fopen(snapshot, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* Into `out`. */
static inline void
get(const char *path)
{
	char part[4096];
	FILE *file = fopen(path, "r");
	size_t got;

	ck_assert_ptr_nonnull(file);
	buf_clear(&out);
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&out, part, got);
	fclose(file);
}

static inline int
redirect(FILE *stream, const char *path)
{
	int kept = dup(fileno(stream));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	fflush(stream);
	ck_assert_int_ge(fd, 0);
	dup2(fd, fileno(stream));
	close(fd);
	return kept;
}

static inline void
restore(FILE *stream, int kept)
{
	fflush(stream);
	dup2(kept, fileno(stream));
	close(kept);
}

/* Runs "simulate FILE --score"; what it printed is in `out`.  FILE stands for
 * the snapshot. */
static inline int
run(const char *line)
{
	char copy[512], *argv[32] = {(char *)(uintptr_t) "droverctl"}, *rest;
	struct ctl ctl = {.style = {.utf8 = true}};
	struct err err = {0};
	int argc = 1, kept[2], status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(word, "FILE") == 0 ? snapshot : word;
	ck_assert_msg(
	    args_parse(argc, argv, &ctl.args, &err) == 0, "%s", err.msg);
	kept[0] = redirect(stdout, printed);
	kept[1] = redirect(stderr, complaints);
	ctl.http = http_new(daemon_socket, NULL);
	status = ctl.args.command->run(&ctl);
	http_free(ctl.http);
	restore(stdout, kept[0]);
	restore(stderr, kept[1]);
	get(printed);
	return status;
}

static inline json_t *
run_json(const char *line, int want_status)
{
	json_error_t where;
	json_t *json;

	ck_assert_int_eq(run(line), want_status);
	json = json_loads(buf_str(&out), 0, &where);
	ck_assert_msg(json != NULL, "%s: %s", where.text, buf_str(&out));
	ck_assert_str_eq(field_text_or(json, "schema", ""), "drover/v1");
	return json;
}

#endif
