/*
 * Configuration: defaults, names, order, reload, suggestions; that the shipped
 * files and every example of the manual load; that the manual knows every key;
 * and that no damaged text does harm.  What is said about each kind of mistake
 * is the business of tests/conf.
 */

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/read.h"
#include "config/schema.h"
#include "config/schema_json.h"
#include "config/settings.h"
#include "config/uri.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define FILE_MAX (1 << 20)

static const char *
source_dir(void)
{
	const char *dir = getenv("srcdir");

	return dir != NULL ? dir : ".";
}

static void
read_source(const char *name, struct buf *out)
{
	char path[4096], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", source_dir(), name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s cannot be read", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		ck_assert_int_eq(buf_add(out, chunk, n), 0);
	fclose(f);
}

/* Parses texts of which the first is the main file; prints what is wrong. */
static struct settings *
parse_files(
    const struct settings_file *files, size_t count, char *said, size_t size)
{
	struct buf out = BUF_INIT(FILE_MAX);
	struct settings *settings;
	struct diag_list diags;

	diag_init(&diags);
	settings = settings_parse(files, count, "/etc/drover", &diags);
	ck_assert(diag_any(&diags) == (settings == NULL));
	diag_print(&diags, &out);
	snprintf(said, size, "%s", buf_str(&out));
	buf_free(&out);
	diag_free(&diags);
	return settings;
}

static struct settings *
parse_main(const char *text)
{
	struct settings_file file = {
	    SETTINGS_MAIN, "drover.yaml", text, strlen(text)};
	struct settings *settings;
	char said[4096];

	settings = parse_files(&file, 1, said, sizeof(said));
	ck_assert_msg(settings != NULL, "%s", said);
	return settings;
}

/* A text of any kind, with the main file that it needs. */
static void
assert_loads(enum settings_file_kind kind, const char *name, const char *text,
    size_t len)
{
	struct settings_file files[2] = {
	    {SETTINGS_MAIN, "main", "version: 1\n", 11},
	    {kind, name, text, len},
	};
	bool alone = kind == SETTINGS_MAIN;
	struct settings *settings;
	char said[4096];

	settings = parse_files(
	    alone ? files + 1 : files, alone ? 1 : 2, said, sizeof(said));
	ck_assert_msg(settings != NULL, "%s", said);
	settings_free(settings);
}

static bool
wants(const struct settings_receiver *receiver, const char *type)
{
	return receiver_wants(receiver, &(struct receiver_event){.type = type});
}

START_TEST(defaults_are_as_documented)
{
	struct settings *s = parse_main(
	    "version: 1\nhosts:\n"
	    "  - { name: a, uri: \"qemu:///system\" }\nreceivers:\n"
	    "  - { name: r, type: cloudevents, url: \"http://h/\" }\n");

	ck_assert_str_eq(s->site, "drover");
	ck_assert_str_eq(s->state_dir, "/var/lib/drover");
	ck_assert_str_eq(s->socket, "/run/drover/drover.sock");
	ck_assert_str_eq(s->socket_group, "drover");
	ck_assert_ptr_null(s->maintenance_dir);
	ck_assert_int_eq(s->sample_interval_ms, 10000);
	ck_assert_int_eq(s->limits.total, 6);
	ck_assert_int_eq(s->limits.per_source, 2);
	ck_assert_int_eq(s->limits.per_target, 2);
	ck_assert_int_eq(s->limits.bandwidth, 0);
	ck_assert_int_eq(s->proof, SETTINGS_PROOF_MARKER);
	ck_assert_int_eq(s->hosts[0].reserve_memory, 1 << 30);
	ck_assert_int_eq(s->hosts[0].inbound, -1);
	ck_assert_int_eq(s->hosts[0].outbound, -1);
	ck_assert_ptr_null(s->hosts[0].migrate_uri);
	ck_assert_uint_eq(s->hosts[0].line, 3);
	ck_assert_int_eq(s->receivers[0].timeout_ms, 10000);
	ck_assert(wants(&s->receivers[0], "drover.move.completed"));
	settings_free(s);
}
END_TEST

START_TEST(hosts_are_found_by_name_and_sorted)
{
	struct settings *s =
	    parse_main("version: 1\nhosts:\n"
		       "  - { name: b, uri: \"qemu+tcp://b/system\" }\n"
		       "  - { name: a, uri: \"qemu+tcp://a/system\" }\n"
		       "  - { name: c, uri: \"qemu+tcp://c/system\" }\n");

	ck_assert_uint_eq(s->host_count, 3);
	ck_assert_str_eq(s->hosts[0].name, "a");
	ck_assert_str_eq(s->hosts[2].name, "c");
	ck_assert_ptr_eq(settings_find_host(s, "b"), &s->hosts[1]);
	ck_assert_ptr_null(settings_find_host(s, "d"));
	settings_free(s);
	s = parse_main("version: 1\n");
	ck_assert_ptr_null(settings_find_host(s, "a"));
	settings_free(s);
}
END_TEST

START_TEST(relative_paths_start_at_the_main_file)
{
	struct settings *s =
	    parse_main("version: 1\nstate_dir: state/\n"
		       "socket: ./s\nmaintenance_dir: /run/m//\n");

	ck_assert_str_eq(s->state_dir, "/etc/drover/state");
	ck_assert_str_eq(s->socket, "/etc/drover/./s");
	ck_assert_str_eq(s->maintenance_dir, "/run/m");
	settings_free(s);
}
END_TEST

START_TEST(receivers_get_the_events_they_want)
{
	struct settings *s =
	    parse_main("version: 1\nreceivers:\n"
		       "  - { name: r, type: cloudevents, url: \"http://h/\","
		       " events: [ move.*, host.lost ] }\n");
	const struct settings_receiver *r = &s->receivers[0];

	ck_assert(wants(r, "drover.move.started"));
	ck_assert(wants(r, "drover.host.lost"));
	ck_assert(!wants(r, "drover.host.recovered"));
	ck_assert(!wants(r, "drover.drain.blocked"));
	settings_free(s);
}
END_TEST

START_TEST(the_order_of_the_files_does_not_matter)
{
	static const char main_text[] = "version: 1\n";
	static const char one[] =
	    "version: 1\npolicies:\n"
	    "  - { name: p1, mode: auto, when: { host: up } }\n"
	    "  - { name: p2, mode: auto, priority: 9, when: { host: up } }\n";
	static const char two[] =
	    "version: 1\npolicies:\n"
	    "  - { name: p3, mode: off, priority: 9, when: { host: up } }\n";
	struct settings_file files[] = {
	    {SETTINGS_POLICIES, "20.yaml", two, strlen(two)},
	    {SETTINGS_POLICIES, "10.yaml", one, strlen(one)},
	    {SETTINGS_MAIN, "m.yaml", main_text, strlen(main_text)},
	};
	char said[1024];
	struct settings *s = parse_files(files, 3, said, sizeof(said));

	ck_assert_msg(s != NULL, "%s", said);
	ck_assert_str_eq(s->policies[0].name, "p2");
	ck_assert_str_eq(s->policies[1].name, "p3");
	ck_assert_str_eq(s->policies[2].name, "p1");
	ck_assert_str_eq(s->policies[2].file, "10.yaml");
	ck_assert_uint_eq(s->policies[2].line, 3);
	settings_free(s);
}
END_TEST

START_TEST(a_move_of_an_operator_has_the_defaults_of_a_policy)
{
	static const char main_text[] = "version: 1\n";
	static const char text[] =
	    "version: 1\npolicies:\n"
	    "  - { name: p, mode: auto, when: { host: up } }\n";
	struct settings_file files[] = {
	    {SETTINGS_MAIN, "m.yaml", main_text, strlen(main_text)},
	    {SETTINGS_POLICIES, "p.yaml", text, strlen(text)},
	};
	char said[1024];
	struct settings *s = parse_files(files, 2, said, sizeof(said));
	const struct policy *p;
	struct policy own;

	ck_assert_msg(s != NULL, "%s", said);
	p = &s->policies[0];
	policy_set_defaults(&own);
	ck_assert_uint_eq(own.strategy_count, 3);
	ck_assert_mem_eq(own.strategies, p->strategies, sizeof(own.strategies));
	ck_assert_uint_eq(own.converge, p->converge);
	ck_assert_int_eq(own.downtime_step_max_ms, 2000);
	ck_assert_int_eq(p->downtime_step_max_ms, 2000);
	ck_assert_int_eq(own.pause_max_ms, p->pause_max_ms);
	ck_assert_int_eq(own.timeout_ms, p->timeout_ms);
	ck_assert_int_eq(own.shutdown_ms, p->shutdown_ms);
	ck_assert_int_eq(own.shutdown_repeat_ms, p->shutdown_repeat_ms);
	ck_assert_int_eq(own.retries, p->retries);
	ck_assert_int_eq(own.limit_total, -1);
	ck_assert(!own.force_off && !own.include_stopped);
	settings_free(s);
}
END_TEST

START_TEST(a_main_file_is_needed)
{
	struct settings_file file = {
	    SETTINGS_HOSTS, "h.yaml", "hosts: []\n", 10};
	char said[1024];

	ck_assert_ptr_null(parse_files(&file, 1, said, sizeof(said)));
	ck_assert_str_eq(said, "drover.yaml: no main file is given\n");
}
END_TEST

START_TEST(a_reload_keeps_what_needs_a_restart)
{
	struct settings *now = parse_main("version: 1\nsite: a\n");
	struct settings *other = parse_main("version: 1\nsite: b\n"
					    "limits: { total: 3 }\n");
	struct settings *moved = parse_main("version: 1\nstate_dir: /x\n"
					    "maintenance_dir: /y\n");
	struct err err = {.code = ERR_NONE};

	ck_assert_int_eq(settings_check_reload(now, other, &err), 0);
	ck_assert_int_eq(settings_check_reload(now, moved, &err), -1);
	ck_assert_int_eq(err.code, ERR_CONFLICT);
	ck_assert_str_eq(err.msg,
	    "a change of state_dir, maintenance_dir "
	    "needs a restart of droverd");
	settings_free(now);
	settings_free(other);
	settings_free(moved);
}
END_TEST

START_TEST(near_words_are_suggested_and_far_ones_not)
{
	static const char *const words[] = {"name", "uri", "sample_interval",
	    "per_source", "policies", "up", NULL};
	static const struct {
		const char *word, *near;
	} rows[] = {
	    {"nmae", "name"},
	    {"NAME", "name"},
	    {"names", "name"},
	    {"url", "uri"},
	    {"ur", "uri"},
	    {"sampleInterval", "sample_interval"},
	    {"interval", "sample_interval"},
	    {"per-source", "per_source"},
	    {"policy", "policies"},
	    {"uup", "up"},
	    {"zebra", NULL},
	    {"", NULL},
	    {"x", NULL},
	    {"xy", NULL},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		const char *near = diag_suggest(rows[i].word, words);

		ck_assert_msg((near == NULL) == (rows[i].near == NULL) &&
			(near == NULL || strcmp(near, rows[i].near) == 0),
		    "%s: %s", rows[i].word, near != NULL ? near : "nothing");
	}
}
END_TEST

START_TEST(faults_are_sorted_and_bounded)
{
	struct diag_list diags;
	struct buf out = BUF_INIT(FILE_MAX);
	char longer[3000];

	diag_init(&diags);
	diag_add(&diags, "b", 2, 1, "third");
	diag_add(&diags, "b", 1, 7, "second");
	diag_add(&diags, "a", 9, 9, "first");
	diag_add(&diags, "b", 2, 1, "fourth");
	diag_add(&diags, "b", 0, 0, "whole");
	diag_print(&diags, &out);
	ck_assert_str_eq(buf_str(&out),
	    "a:9:9: first\nb: whole\n"
	    "b:1:7: second\nb:2:1: third\nb:2:1: fourth\n");
	for (int i = 0; i < DIAG_MAX; i++)
		diag_add(&diags, "c", 1, 1, "x");
	ck_assert_uint_eq(diags.count, DIAG_MAX);
	buf_clear(&out);
	diag_print(&diags, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nand 5 more\n"));
	diag_free(&diags);

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	diag_add(&diags, "a", 1, 1, "%s", longer);
	ck_assert_uint_lt(strlen(diags.items[0].text), 1100);
	diag_free(&diags);
	buf_free(&out);
}
END_TEST

START_TEST(uris_are_taken_apart)
{
	static const struct {
		int (*check)(const char *uri, struct err *err);
		const char *uri;
		int rc;
	} rows[] = {
	    {uri_check_libvirt, "qemu:///system", 0},
	    {uri_check_libvirt, "qemu+tcp://[::1]:1/system", 0},
	    {uri_check_libvirt, "qemu+ssh://u@h:22/system?mode=auto", 0},
	    {uri_check_libvirt, "qemu+tcp://h/system?", 0},
	    {uri_check_libvirt, "qemu+tcp://[::1/system", -1},
	    {uri_check_libvirt, "qemu+tcp://[::1]x/system", -1},
	    {uri_check_libvirt, "qemu+tcp://-h/system", -1},
	    {uri_check_libvirt, "test:///default", -1},
	    {uri_check_libvirt, ":///system", -1},
	    {uri_check_libvirt, "1qemu:///system", -1},
	    {uri_check_libvirt, "", -1},
	    {uri_check_migrate, "tcp://h", 0},
	    {uri_check_migrate, "tcp://10.0.0.1:49152", 0},
	    {uri_check_migrate, "rdma://[fd00::1]", 0},
	    {uri_check_migrate, "tcp://h?x=1", -1},
	    {uri_check_migrate, "tcp://[::]", -1},
	    {uri_check_migrate, "tls://h", -1},
	    {uri_check_migrate, "unix:///tmp/x", -1},
	    {uri_check_http, "http://h", 0},
	    {uri_check_http, "https://u:p@h:8443/a?b=c@d:e", 0},
	    {uri_check_http, "https://h?q=/x", 0},
	    {uri_check_http, "gopher://h/", -1},
	    {uri_check_http, "http://", -1},
	};

	for (int i = 0; i < COUNT(rows); i++) {
		struct err err = {.code = ERR_NONE};

		ck_assert_msg(rows[i].check(rows[i].uri, &err) == rows[i].rc,
		    "%s: %s", rows[i].uri, err.msg);
	}
}
END_TEST

START_TEST(shipped_files_load)
{
	struct buf text = BUF_INIT(FILE_MAX);
	char path[4096], name[300];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	read_source("etc/drover.yaml", &text);
	assert_loads(SETTINGS_MAIN, "etc/drover.yaml", text.data, text.len);
	snprintf(path, sizeof(path), "%s/policies", source_dir());
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".yaml") == NULL)
			continue;
		snprintf(name, sizeof(name), "policies/%s", entry->d_name);
		buf_clear(&text);
		read_source(name, &text);
		assert_loads(SETTINGS_POLICIES, name, text.data, text.len);
		count++;
	}
	closedir(dir);
	ck_assert_int_gt(count, 0);
	buf_free(&text);
}
END_TEST

/* Hosts alone are a file of hosts.d, the rest belongs into drover.yaml. */
static void
load_fragment(const char *name, const char *text, size_t len)
{
	struct buf whole = BUF_INIT(FILE_MAX);

	if (strncmp(text, "hosts:", 6) == 0) {
		assert_loads(SETTINGS_HOSTS, name, text, len);
		return;
	}
	buf_addf(&whole, "version: 1\n%.*s", (int)len, text);
	assert_loads(SETTINGS_MAIN, name, whole.data, whole.len);
	buf_free(&whole);
}

/* `.\" example: NAME KIND`, `.Bd ...`, text, `.Ed`. */
static int
load_examples(const char *page)
{
	static const char mark[] = "\n.\\\" example: ";
	struct buf text = BUF_INIT(FILE_MAX);
	const char *at;
	int count = 0;

	read_source(page, &text);
	at = buf_str(&text);
	while ((at = strstr(at, mark)) != NULL) {
		enum settings_file_kind kind = SETTINGS_MAIN;
		char name[64], word[16];
		const char *end;

		ck_assert_int_eq(
		    sscanf(at + strlen(mark), "%63s %15s", name, word), 2);
		/* Played by tests/check-man.sh. */
		if (strcmp(word, "test") == 0) {
			at += strlen(mark);
			continue;
		}
		if (strcmp(word, "policy") == 0)
			kind = SETTINGS_POLICIES;
		else if (strcmp(word, "fragment") != 0)
			ck_assert_str_eq(word, "main");
		at = strstr(at, "\n.Bd ");
		ck_assert_ptr_nonnull(at);
		at = strchr(at + 1, '\n') + 1;
		end = strstr(at, "\n.Ed");
		ck_assert_ptr_nonnull(end);
		if (strcmp(word, "fragment") == 0)
			load_fragment(name, at, (size_t)(end + 1 - at));
		else
			assert_loads(kind, name, at, (size_t)(end + 1 - at));
		count++;
	}
	buf_free(&text);
	return count;
}

START_TEST(examples_of_the_manual_load)
{
	ck_assert_int_ge(load_examples("man/drover.yaml.5"), 3);
	ck_assert_int_ge(load_examples("man/drover-policy.7"), 2);
}
END_TEST

static void
find_in_page(const char *path, const struct schema_key *key, void *arg)
{
	const char *page = arg;
	char item[128], second[128];

	snprintf(item, sizeof(item), "\n.It Cm %s", key->name);
	snprintf(second, sizeof(second), " , %s\n", key->name);
	ck_assert_msg(
	    strstr(page, item) != NULL || strstr(page, second) != NULL,
	    "%s is not in the manual", path);
	ck_assert_msg(key->meaning != NULL, "%s has no meaning", path);
}

START_TEST(shipped_policies_have_no_lints_and_act_on_nothing_unasked)
{
	static const char *const names[] = {"10-maintenance", "20-cpu-pressure",
	    "30-memory-pressure", "40-balance", "50-failing-disk",
	    "60-night-balance", "70-placement"};
	enum { FILES = COUNT(names) };
	struct buf texts[FILES], out = BUF_INIT(FILE_MAX);
	struct settings_file files[FILES];
	struct diag_list diags, lints;
	struct settings *s;

	for (int i = 0; i < FILES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "policies/%s.yaml", names[i]);
		texts[i] = BUF_INIT(FILE_MAX);
		read_source(path, &texts[i]);
		files[i] = (struct settings_file){
		    SETTINGS_POLICIES, names[i], texts[i].data, texts[i].len};
	}
	diag_init(&diags);
	diag_init(&lints);
	s = settings_parse_policies(files, FILES, &diags, &lints);
	diag_print(&diags, &out);
	diag_print(&lints, &out);
	ck_assert_str_eq(buf_str(&out), "");
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->placement_count, 3);
	for (size_t i = 0; i < s->policy_count; i++)
		ck_assert_int_eq(s->policies[i].mode,
		    strcmp(s->policies[i].name, "maintenance") == 0
			? POLICY_AUTO
			: POLICY_OBSERVE);
	settings_free(s);
	diag_free(&diags);
	diag_free(&lints);
	buf_free(&out);
	for (int i = 0; i < FILES; i++)
		buf_free(&texts[i]);
}
END_TEST

/* droverctl policy schema >policies/policy.schema.json */
START_TEST(the_schema_for_editors_is_that_of_the_tables)
{
	struct buf text = BUF_INIT(FILE_MAX);
	json_t *shipped, *made = schema_json_policies();
	json_error_t where;

	read_source("policies/policy.schema.json", &text);
	shipped = json_loadb(text.data, text.len, 0, &where);
	ck_assert_msg(shipped != NULL, "%d: %s", where.line, where.text);
	ck_assert_msg(json_equal(shipped, made),
	    "write it anew: droverctl policy schema "
	    ">policies/policy.schema.json");
	json_decref(shipped);
	json_decref(made);
	buf_free(&text);
}
END_TEST

/* A default inside of `with` does not replace the rest of it. */
START_TEST(a_rule_has_the_policy_with_its_own_with_over_it)
{
	static const char text[] =
	    "version: 1\ndefaults: { with: { timeout: 1h } }\npolicies:\n"
	    "  - name: p\n    mode: auto\n    when: { host: up }\n"
	    "    strategy:\n"
	    "      - { if: vcpus > 4, use: live-copy, with: { max_downtime: "
	    "4s } }\n"
	    "      - { use: default }\n"
	    "    with: { handover: strict }\n";
	struct settings_file file = {
	    SETTINGS_POLICIES, "p.yaml", text, strlen(text)};
	const struct policy_strategy *rules;
	struct diag_list diags;
	struct settings *s;

	diag_init(&diags);
	s = settings_parse_policies(&file, 1, &diags, NULL);
	ck_assert_ptr_nonnull(s);
	rules = s->policies[0].rules;
	ck_assert_uint_eq(s->policies[0].rule_count, 2);
	ck_assert_ptr_eq(rules[1].with, &s->policies[0]);
	ck_assert_int_eq(rules[0].with->max_downtime_ms, 4000);
	ck_assert_int_eq(rules[0].with->downtime_step_max_ms, 4000);
	ck_assert_int_eq(rules[0].with->timeout_ms, 3600000);
	ck_assert_int_eq(rules[0].with->handover, POLICY_HANDOVER_STRICT);
	ck_assert_str_eq(rules[0].with->name, "p");
	ck_assert_int_eq(s->policies[0].max_downtime_ms, 0);
	ck_assert_int_eq(s->policies[0].downtime_step_max_ms, 2000);
	settings_free(s);
	diag_free(&diags);
}
END_TEST

START_TEST(the_manual_knows_every_key)
{
	struct buf page = BUF_INIT(FILE_MAX);

	read_source("man/drover.yaml.5", &page);
	schema_walk(&read_main_schema, "", find_in_page, page.data);
	buf_clear(&page);
	read_source("man/drover-policy.7", &page);
	schema_walk(&read_policies_schema, "", find_in_page, page.data);
	buf_free(&page);
}
END_TEST

/* Refused with positions or accepted, and nothing else. */
static void
parse_damaged(enum settings_file_kind kind, const char *text, size_t len)
{
	struct settings_file files[2] = {
	    {SETTINGS_MAIN, "m", "version: 1\n", 11},
	    {kind, "damaged", text, len},
	};
	bool alone = kind == SETTINGS_MAIN;
	struct settings *settings;
	struct diag_list diags, lints;

	diag_init(&diags);
	diag_init(&lints);
	settings = settings_parse_linted(
	    alone ? files + 1 : files, alone ? 1 : 2, "/", &diags, &lints);
	ck_assert(diag_any(&diags) == (settings == NULL));
	diag_free(&lints);
	for (size_t i = 0; i < diags.count; i++)
		ck_assert_msg(
		    diags.items[i].line > 0 && diags.items[i].column > 0,
		    "no position: %s", diags.items[i].text);
	diag_free(&diags);
	settings_free(settings);
}

static void
damage_text(enum settings_file_kind kind, const char *name)
{
	static const char with[] = "\0\t\n :-\"'[]{}&*!#|%@\xff\x80"
				   "0a";
	struct buf text = BUF_INIT(FILE_MAX);

	read_source(name, &text);
	for (size_t len = 0; len <= text.len; len++) {
		char *copy = malloc(len > 0 ? len : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text.data, len);
		parse_damaged(kind, copy, len);
		free(copy);
	}
	for (size_t at = 0; at < text.len; at++) {
		char was = text.data[at];

		/* Two of the bytes at each place; over a file, all of them. */
		for (size_t i = 0; i < 2; i++) {
			text.data[at] =
			    with[(at * 7 + i * 11) % (sizeof(with) - 1)];
			parse_damaged(kind, text.data, text.len);
		}
		text.data[at] = was;
	}
	buf_free(&text);
}

START_TEST(damaged_files_do_no_harm)
{
	damage_text(SETTINGS_MAIN, "tests/conf/main-valid-full.in");
	damage_text(SETTINGS_POLICIES, "tests/conf/policy-valid-full.in");
	damage_text(SETTINGS_POLICIES, "policies/30-memory-pressure.yaml");
	damage_text(SETTINGS_HOSTS, "tests/conf/hosts-valid-list.in");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    defaults_are_as_documented,
	    hosts_are_found_by_name_and_sorted,
	    relative_paths_start_at_the_main_file,
	    receivers_get_the_events_they_want,
	    the_order_of_the_files_does_not_matter,
	    a_move_of_an_operator_has_the_defaults_of_a_policy,
	    a_main_file_is_needed,
	    a_reload_keeps_what_needs_a_restart,
	    near_words_are_suggested_and_far_ones_not,
	    faults_are_sorted_and_bounded,
	    uris_are_taken_apart,
	    shipped_files_load,
	    examples_of_the_manual_load,
	    shipped_policies_have_no_lints_and_act_on_nothing_unasked,
	    the_schema_for_editors_is_that_of_the_tables,
	    a_rule_has_the_policy_with_its_own_with_over_it,
	    the_manual_knows_every_key,
	    damaged_files_do_no_harm,
	};
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	for (int i = 0; i < COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
