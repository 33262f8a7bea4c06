/*
 * Prints requests as droverd would send them, for validators in other languages
 * and for the golden files.
 *
 *	notify_render all        one JSON object a line: every sample in every kind
 *	notify_render events     the samples
 *	notify_render golden K   the requests of tests/notify/golden/K.json
 *	notify_render sample K N the request of one, for people
 */
#include <inttypes.h>
#include <time.h>

#include "notify/sign.h"
#include "notify_samples.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static json_t *samples;

static void
die(const char *what, const struct err *err)
{
	fprintf(stderr, "notify_render: %s: %s\n", what, err->msg);
	exit(1);
}

/* With the bytes of the body, signed. */
static void
print_signed(const struct settings_receiver *receiver, const char *mode,
    const char *names)
{
	struct format_request r = samples_render(samples, receiver, names);
	json_t *o = samples_request_json(&r);
	int64_t now = (int64_t)time(NULL);
	struct sign_secret secret;
	char sum[SIGN_SIZE], *text;
	struct err err;

	if (sign_parse_secret(SECRET, &secret, &err) < 0 ||
	    sign_message(&secret, "msg_1", now, r.body, r.len, sum, &err) < 0)
		die("signature", &err);
	json_object_set_new(o, "body", json_stringn(r.body, r.len));
	json_object_set_new(o, "kind", json_string(receiver->type));
	json_object_set_new(o, "mode", json_string(mode));
	json_object_set_new(o, "sample", json_string(names));
	json_object_set_new(o, "secret", json_string(SECRET));
	json_object_set_new(o, "signed",
	    json_pack("{s:s, s:o, s:s}", "webhook-id", "msg_1",
		"webhook-timestamp", json_sprintf("%" PRId64, now),
		"webhook-signature", sum));
	text = json_dumps(o, JSON_COMPACT);
	puts(text);
	free(text);
	json_decref(o);
	format_free(&r);
}

static void
print_all(void)
{
	static const char *const modes[] = {"structured", "binary", "batched"};
	const char *name;
	json_t *event;

	for (int k = 0; k < RECEIVER_KIND_COUNT; k++) {
		struct settings_receiver r =
		    samples_receiver((enum receiver_kind)k);
		int last = k == RECEIVER_CLOUDEVENTS ? RECEIVER_BATCHED
						     : RECEIVER_STRUCTURED;

		if (r.type == NULL)
			continue;
		for (int mode = 0; mode <= last; mode++) {
			r.mode = (enum receiver_mode)mode;
			json_object_foreach(samples, name, event)
			    print_signed(&r, modes[mode], name);
			print_signed(&r, modes[mode],
			    "move.completed+move.failed+hostile");
		}
	}
}

static void
print_one(enum receiver_kind kind, const char *names)
{
	struct settings_receiver r = samples_receiver(kind);
	struct format_request request = samples_render(samples, &r, names);
	json_t *o = samples_request_json(&request);

	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
	format_free(&request);
}

static void
print_golden(enum receiver_kind kind)
{
	static const char *const wanted[] = {"move.completed", "move.failed",
	    "drain.blocked", "config.rejected", "unknown",
	    "host.lost+move.completed+move.failed"};
	struct settings_receiver r = samples_receiver(kind);
	json_t *all = json_object();

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct format_request request =
		    samples_render(samples, &r, wanted[i]);

		json_object_set_new(
		    all, wanted[i], samples_request_json(&request));
		format_free(&request);
	}
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

int
main(int argc, char **argv)
{
	samples = samples_all();
	if (argc == 2 && strcmp(argv[1], "all") == 0) {
		print_all();
		json_decref(samples);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "events") == 0) {
		json_dumpf(samples, stdout, JSON_COMPACT);
		json_decref(samples);
		return 0;
	}
	for (int k = 0; argc >= 3 && k < RECEIVER_KIND_COUNT; k++) {
		if (samples_kinds[k] == NULL ||
		    strcmp(samples_kinds[k], argv[2]) != 0)
			continue;
		if (argc == 3 && strcmp(argv[1], "golden") == 0)
			print_golden((enum receiver_kind)k);
		else if (argc == 4 && strcmp(argv[1], "sample") == 0)
			print_one((enum receiver_kind)k, argv[3]);
		json_decref(samples);
		return 0;
	}
	fputs("usage: notify_render all | events | golden KIND | sample KIND "
	      "NAME\n",
	    stderr);
	return 2;
}
