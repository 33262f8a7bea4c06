/*
 * The tables of drover.yaml and of hosts.d: every key, with its default, its
 * range and its meaning.  What a key means is answered here and nowhere else;
 * the manual is checked against these tables.
 *
 * NO_RELOAD marks what the daemon opens once when it starts.
 */

#include "config/settings.h"

#include <stddef.h>

#include "config/read.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define MIB (INT64_C(1) << 20)
#define TIB (INT64_C(1) << 40)

static const struct schema_choice proof_choices[] = {
    {"marker", SETTINGS_PROOF_MARKER, NULL},
    {"declared", SETTINGS_PROOF_DECLARED, NULL},
    {NULL, 0, NULL},
};

static const struct schema_key limits_keys[] = {
    {.name = "total",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, total),
	.fallback = "6",
	.min = 1,
	.max = 1000,
	.meaning = "moves at once, on all hosts"},
    {.name = "per_source",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, per_source),
	.fallback = "2",
	.min = 1,
	.max = 100,
	.meaning = "moves at once away from one host"},
    {.name = "per_target",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_limits, per_target),
	.fallback = "2",
	.min = 1,
	.max = 100,
	.meaning = "moves at once to one host"},
    {.name = "bandwidth",
	.type = SCHEMA_RATE,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct settings_limits, bandwidth),
	.fallback = "0",
	.min = MIB,
	.max = TIB,
	.meaning = "for all moves on one host's link; 0: all of it"},
    {.name = NULL},
};

static const struct schema limits_schema = {
    .what = "limits",
    .keys = limits_keys,
};

static const struct schema_key storage_keys[] = {
    {.name = "shared_paths",
	.type = SCHEMA_TEXTS,
	.offset = offsetof(struct settings, shared_paths),
	.count_offset = offsetof(struct settings, shared_path_count),
	.min = 0,
	.max = 256,
	.check = check_shared_path,
	.meaning = "paths that are the same storage on every host"},
    {.name = "proof",
	.type = SCHEMA_CHOICE,
	.offset = offsetof(struct settings, proof),
	.fallback = "marker",
	.choices = proof_choices,
	.meaning = "marker: find out with a marker volume which pools are "
		   "shared; declared: shared_paths say all"},
    {.name = "keep_source",
	.type = SCHEMA_DURATION,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct settings, keep_source_ms),
	.fallback = "24h",
	.min = 1 * SECOND,
	.max = 365 * 24 * 60 * MINUTE,
	.meaning = "how long the images of a guest stay at its old host "
		   "after they were copied; 0: not at all"},
    {.name = NULL},
};

static const struct schema storage_schema = {
    .what = "storage",
    .keys = storage_keys,
};

static const struct schema_key alerts_keys[] = {
    {.name = "listen",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_NO_RELOAD,
	.offset = offsetof(struct settings, alerts_listen),
	.check = check_listen,
	.meaning = "where Alertmanager posts, as 127.0.0.1:9464; without it, "
		   "only at the socket"},
    {.name = "token_file",
	.type = SCHEMA_PATH,
	.offset = offsetof(struct settings, alerts_token_file),
	.min = 0,
	.max = 1024,
	.meaning = "holds the token that listen asks for"},
    {.name = "host_label",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct settings, alerts_host_label),
	.fallback = "instance",
	.min = 1,
	.max = 255,
	.meaning = "the label of an alert that names the host"},
    {.name = "expire",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct settings, alerts_expire_ms),
	.fallback = "5h",
	.min = 1 * MINUTE,
	.max = 30 * 24 * 60 * MINUTE,
	.meaning = "how long an alert stays on without being repeated"},
    {.name = NULL},
};

static void
finish_alerts(
    const struct schema_context *ctx, const struct node *map, void *object)
{
	const struct settings *s = object;
	const struct node *listen =
	    map != NULL ? tree_get(map, "listen") : NULL;

	if (listen != NULL && s->alerts_token_file == NULL)
		tree_fault_key(ctx->tree, ctx->diags, listen,
		    "token_file is missing: whoever reaches this address must "
		    "show a token");
}

static const struct schema alerts_schema = {
    .what = "alerts",
    .keys = alerts_keys,
    .finish = finish_alerts,
};

static const struct schema_key reserve_keys[] = {
    {.name = "memory",
	.type = SCHEMA_BYTES,
	.flags = SCHEMA_ZERO,
	.offset = offsetof(struct settings_host, reserve_memory),
	.fallback = "1GiB",
	.min = MIB,
	.max = 64 * TIB,
	.meaning = "memory that is kept free for the host itself"},
    {.name = NULL},
};

static const struct schema reserve_schema = {
    .what = "reserve",
    .keys = reserve_keys,
};

static const struct schema_key host_limits_keys[] = {
    {.name = "outbound",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_host, outbound),
	.min = 0,
	.max = 100,
	.meaning = "moves at once away from this host"},
    {.name = "inbound",
	.type = SCHEMA_INT,
	.offset = offsetof(struct settings_host, inbound),
	.min = 0,
	.max = 100,
	.meaning = "moves at once to this host"},
    {.name = NULL},
};

static const struct schema host_limits_schema = {
    .what = "the limits of a host",
    .keys = host_limits_keys,
};

static const struct schema_key host_keys[] = {
    {.name = "name",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct settings_host, name),
	.check = check_host_name,
	.meaning = "how the host is called here"},
    {.name = "uri",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct settings_host, uri),
	.check = check_host_uri,
	.meaning = "of its libvirt daemon, as qemu+tls://HOST/system"},
    {.name = "migrate_uri",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct settings_host, migrate_uri),
	.check = check_migrate_uri,
	.meaning = "where it takes migration traffic, as tcp://ADDRESS"},
    {.name = "labels",
	.type = SCHEMA_PAIRS,
	.offset = offsetof(struct settings_host, labels),
	.count_offset = offsetof(struct settings_host, label_count),
	.flags = SCHEMA_EMPTY,
	.min = 0,
	.max = 64,
	.check = check_label,
	.meaning = "words of the operator, as rack: r1"},
    {.name = "reserve",
	.type = SCHEMA_GROUP,
	.of = &reserve_schema,
	.meaning = "what guests never get"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &host_limits_schema,
	.meaning = "moves at once; without it the common limits hold"},
    {.name = NULL},
};

static void
place_host(void *object, const char *file, unsigned line)
{
	struct settings_host *host = object;

	host->outbound = -1;
	host->inbound = -1;
	host->file = file;
	host->line = line;
}

static const struct schema host_schema = {
    .what = "a host",
    .size = sizeof(struct settings_host),
    .keys = host_keys,
    .place = place_host,
};

static const struct schema_key guests_keys[] = {
    {.name = "match",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct settings_guests, match),
	.check = check_glob,
	.meaning = "a pattern on the names of guests, as web*"},
    {.name = "labels",
	.type = SCHEMA_PAIRS,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct settings_guests, labels),
	.count_offset = offsetof(struct settings_guests, label_count),
	.min = 0,
	.max = 64,
	.check = check_label,
	.meaning = "labels of these guests, as app: web"},
    {.name = NULL},
};

static const struct schema guests_schema = {
    .what = "labels of guests",
    .size = sizeof(struct settings_guests),
    .keys = guests_keys,
};

static const struct schema_key decisions_keys[] = {
    {.name = "keep",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct settings, keep_decisions_ms),
	.fallback = "30d",
	.min = 60 * MINUTE,
	.max = 10 * 365 * 24 * 60 * MINUTE,
	.meaning = "how long decisions that have ended are remembered"},
    {.name = NULL},
};

static const struct schema decisions_schema = {
    .what = "decisions",
    .keys = decisions_keys,
};

static const struct schema_key main_keys[] = {
    {.name = "version",
	.type = SCHEMA_CUSTOM,
	.flags = SCHEMA_REQUIRED,
	.read = read_version,
	.meaning = "the language of this file, as version: 1"},
    {.name = "site",
	.type = SCHEMA_TEXT,
	.offset = offsetof(struct settings, site),
	.fallback = "drover",
	.check = check_name,
	.meaning = "appears in events as source /drover/SITE"},
    {.name = "state_dir",
	.type = SCHEMA_PATH,
	.flags = SCHEMA_NO_RELOAD,
	.offset = offsetof(struct settings, state_dir),
	.fallback = "/var/lib/drover",
	.min = 0,
	.max = 1024,
	.meaning = "folder of the journal, the flags and the outbox"},
    {.name = "socket",
	.type = SCHEMA_PATH,
	.flags = SCHEMA_NO_RELOAD,
	.offset = offsetof(struct settings, socket),
	.fallback = "/run/drover/drover.sock",
	.check = check_socket,
	.meaning = "where droverctl reaches the daemon"},
    {.name = "socket_group",
	.type = SCHEMA_TEXT,
	.flags = SCHEMA_NO_RELOAD | SCHEMA_EMPTY,
	.offset = offsetof(struct settings, socket_group),
	.fallback = "drover",
	.check = check_name,
	.meaning = "group that may use the socket; \"\": do not set one"},
    {.name = "maintenance_dir",
	.type = SCHEMA_PATH,
	.flags = SCHEMA_NO_RELOAD,
	.offset = offsetof(struct settings, maintenance_dir),
	.min = 0,
	.max = 1024,
	.meaning = "a file here named after a host sets its flag"},
    {.name = "sample_interval",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct settings, sample_interval_ms),
	.fallback = "10s",
	.min = 1 * SECOND,
	.max = 10 * MINUTE,
	.meaning = "how often load and memory are read"},
    {.name = "smoothing",
	.type = SCHEMA_DURATION,
	.offset = offsetof(struct settings, smoothing_ms),
	.fallback = "1m",
	.min = 1 * SECOND,
	.max = 1 * HOUR,
	.meaning = "how slowly figures of load follow what is measured"},
    {.name = "pressure",
	.type = SCHEMA_BOOL,
	.offset = offsetof(struct settings, pressure),
	.fallback = "false",
	.meaning = "whether the pressure (PSI) of hosts is read, too"},
    {.name = "limits",
	.type = SCHEMA_GROUP,
	.of = &limits_schema,
	.offset = offsetof(struct settings, limits),
	.meaning = "how many moves at once, and how fast"},
    {.name = "storage",
	.type = SCHEMA_GROUP,
	.of = &storage_schema,
	.meaning = "what is shared between hosts"},
    {.name = "alerts",
	.type = SCHEMA_GROUP,
	.of = &alerts_schema,
	.meaning = "what monitoring says of hosts"},
    {.name = "hosts",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct settings, hosts),
	.count_offset = offsetof(struct settings, host_count),
	.min = 0,
	.max = SETTINGS_HOSTS_MAX,
	.of = &host_schema,
	.meaning = "the hosts; more may stand in hosts.d/*.yaml"},
    {.name = "guests",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct settings, guests),
	.count_offset = offsetof(struct settings, guest_count),
	.min = 0,
	.max = SETTINGS_GUESTS_MAX,
	.of = &guests_schema,
	.meaning = "labels of guests, by their names"},
    {.name = "decisions",
	.type = SCHEMA_GROUP,
	.of = &decisions_schema,
	.meaning = "the record of what policies decided"},
    {.name = "receivers",
	.type = SCHEMA_LIST,
	.offset = offsetof(struct settings, receivers),
	.count_offset = offsetof(struct settings, receiver_count),
	.min = 0,
	.max = SETTINGS_RECEIVERS_MAX,
	.of = &read_receiver_schema,
	.meaning = "who is told"},
    {.name = NULL},
};

const struct schema read_main_schema = {
    .what = "drover.yaml",
    .where = "drover.yaml",
    .size = sizeof(struct settings),
    .keys = main_keys,
};

static const struct schema_key hosts_file_keys[] = {
    {.name = "version",
	.type = SCHEMA_CUSTOM,
	.read = read_version,
	.meaning = "the language of this file, as version: 1"},
    {.name = "hosts",
	.type = SCHEMA_LIST,
	.flags = SCHEMA_REQUIRED,
	.offset = offsetof(struct read_hosts, hosts),
	.count_offset = offsetof(struct read_hosts, count),
	.min = 0,
	.max = SETTINGS_HOSTS_MAX,
	.of = &host_schema,
	.meaning = "the list of hosts"},
    {.name = NULL},
};

/* Its keys are drover.yaml's too, so that it is no place of its own. */
const struct schema read_hosts_schema = {
    .what = "a file of hosts",
    .size = sizeof(struct read_hosts),
    .keys = hosts_file_keys,
};

const struct schema *const read_all_schemas[] = {
    &read_main_schema, &read_policies_schema, NULL};
