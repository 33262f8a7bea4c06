/*
 * The command that keeps a picture of all hosts and guests.  The file has one
 * line for each of them, so that two pictures can be compared line by line and
 * one entry can be changed by hand.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"

static void
add_value(const json_t *value, struct buf *out)
{
	cleanup_free char *text =
	    json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	buf_adds(out, text != NULL ? text : "null");
}

static void
add_snapshot(json_t *snapshot, struct buf *out)
{
	const char *key, *separator = "";
	json_t *value;
	const json_t *row;
	size_t i;

	buf_adds(out, "{");
	json_object_foreach(snapshot, key, value)
	{
		buf_addf(out, "%s\n\"%s\": ", separator, key);
		separator = ",";
		if (!json_is_array(value)) {
			add_value(value, out);
			continue;
		}
		buf_adds(out, "[");
		json_array_foreach(value, i, row)
		{
			buf_adds(out, i > 0 ? ",\n  " : "\n  ");
			add_value(row, out);
		}
		buf_adds(out, "\n]");
	}
	buf_adds(out, "\n}\n");
}

/* What was there is lost only once there is something to write. */
static int
save(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");
	bool done;

	if (file == NULL) {
		ctl_say("%s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	done = fwrite(text->data, 1, text->len, file) == text->len;
	if (fclose(file) == 0 && done)
		return CTL_DONE;
	ctl_say("%s: %s", path, strerror(errno));
	return CTL_FAILED;
}

int
ctl_snapshot_save(struct ctl *ctl)
{
	const char *path = ctl->args.operands[0];
	struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
	int status = CTL_DONE;
	json_t *snapshot = ctl_ask(ctl, "GET", "/v1/snapshot", NULL, &status);

	if (snapshot == NULL)
		return status;
	add_snapshot(snapshot, &text);
	json_decref(snapshot);
	if (text.overflow) {
		ctl_say(
		    "the snapshot is larger than %d MiB", CTL_OUTPUT_MAX >> 20);
		status = CTL_FAILED;
	} else if (strcmp(path, "-") == 0) {
		ctl_print(&text);
	} else {
		status = save(path, &text);
	}
	buf_free(&text);
	return status;
}
