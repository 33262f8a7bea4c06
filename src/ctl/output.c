/*
 * What all commands share: asking, saying why not, and the three ways of
 * showing an answer.  Answers go to stdout, everything else to stderr, so that
 * a program that reads stdout sees nothing but what it asked for.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/field.h"

#define FAULTS_MAX ((size_t)1 << 20)

void
ctl_say(const char *fmt, ...)
{
	struct buf text = BUF_INIT(65536), clean = BUF_INIT(131072);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	text_add(&clean, buf_str(&text));
	fprintf(stderr, "droverctl: %s\n", buf_str(&clean));
	buf_free(&text);
	buf_free(&clean);
}

void
ctl_say_faults(const struct diag_list *diags)
{
	struct buf text = BUF_INIT(FAULTS_MAX);
	char *line, *rest = NULL;

	diag_print(diags, &text);
	for (line = text.data != NULL ? strtok_r(text.data, "\n", &rest) : NULL;
	     line != NULL; line = strtok_r(NULL, "\n", &rest))
		ctl_say("%s", line);
	buf_free(&text);
}

void
ctl_print(struct buf *out)
{
	if (out->len > 0)
		fwrite(out->data, 1, out->len, stdout);
	fflush(stdout);
	buf_free(out);
}

void
ctl_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	fflush(stdout);
}

char *
ctl_path(const char *head, const char *segment, const char *tail)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	struct buf path = BUF_INIT(8192);
	char *text;

	buf_adds(&path, head);
	for (; *segment != '\0'; segment++) {
		if (strchr(safe, *segment) != NULL)
			buf_add(&path, segment, 1);
		else
			buf_addf(&path, "%%%02X", (unsigned char)*segment);
	}
	buf_adds(&path, tail);
	text = buf_steal(&path);
	if (text == NULL) {
		ctl_say("a name is too long");
		exit(CTL_USAGE);
	}
	return text;
}

int
ctl_exit_of(const struct http_reply *reply)
{
	switch (reply->outcome) {
	case HTTP_DONE:
		return CTL_DONE;
	case HTTP_GONE:
	case HTTP_DENIED:
		return CTL_NO_DAEMON;
	case HTTP_INTERRUPTED:
		return CTL_DETACHED;
	case HTTP_REFUSED:
		break;
	}
	return reply->err.code == ERR_INVALID ? CTL_USAGE : CTL_FAILED;
}

int
ctl_explain(struct ctl *ctl, const struct http_reply *reply)
{
	const json_t *error = json_object_get(reply->body, "error");
	const json_t *line;
	size_t i;

	if (reply->outcome == HTTP_INTERRUPTED)
		return CTL_DETACHED;
	ctl_say("%s", reply->err.msg);
	json_array_foreach(json_object_get(error, "details"), i,
	    line) if (json_is_string(line))
	    ctl_say("  %s", json_string_value(line));
	if (ctl->args.output == ARGS_JSON && reply->body != NULL)
		ctl_print_json(reply->body);
	return ctl_exit_of(reply);
}

json_t *
ctl_ask(struct ctl *ctl, const char *method, const char *path, json_t *body,
    int *out_exit)
{
	struct http_reply reply;
	json_t *answer;

	http_ask(ctl->http, method, path, body, &reply);
	json_decref(body);
	if (reply.outcome != HTTP_DONE) {
		*out_exit = ctl_explain(ctl, &reply);
		http_reply_free(&reply);
		return NULL;
	}
	answer = json_incref(reply.body);
	http_reply_free(&reply);
	return answer;
}

static void
add_name(const json_t *row, const char *name, struct buf *out)
{
	if (field_int(row, name) != FIELD_UNKNOWN)
		buf_addf(out, "%lld\n", (long long)field_int(row, name));
	else
		buf_addf(out, "%s\n", field_text_or(row, name, "-"));
}

int
ctl_show(struct ctl *ctl, const char *path, const char *list, const char *name,
    void (*render)(const json_t *answer, const struct style *style, bool wide,
	struct buf *out))
{
	struct buf out = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *answer = ctl_ask(ctl, "GET", path, NULL, &status);
	const json_t *row;
	size_t i;

	if (answer == NULL)
		return status;
	switch (ctl->args.output) {
	case ARGS_JSON:
		ctl_print_json(answer);
		break;
	case ARGS_NAME:
		if (list == NULL)
			add_name(answer, name, &out);
		json_array_foreach(json_object_get(answer, list), i, row)
		    add_name(row, name, &out);
		break;
	case ARGS_TABLE:
	case ARGS_WIDE:
		render(
		    answer, &ctl->style, ctl->args.output == ARGS_WIDE, &out);
		break;
	}
	ctl_print(&out);
	json_decref(answer);
	return status;
}
