/*
 * Loads every NAME.in of a folder and compares what is said with NAME.ok.
 *
 *	check_conf [-u] [FOLDER]	-u writes the .ok files anew
 *
 * Without FOLDER it is tests/conf of $srcdir, as `make check` needs it.
 *
 * The name tells what the file is: main-*, policy-* and hosts-* are one file of
 * that kind (beside a main file that says "version: 1"), set-* holds several,
 * each after a line "=== main|hosts|policies FILE".  What has "-valid" in its
 * name must load, and its .ok shows the settings; what has "-lint" must load as
 * well, and its .ok shows the lints; all others must be refused, and every fault
 * must have a line and a column.
 */

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/policy.h"
#include "config/settings.h"

#define FILE_MAX (16 << 20)
#define PARTS_MAX 16
#define KEEP_DECISIONS_MS (INT64_C(30) * 24 * 3600 * 1000) /* default */
#define MAIN_DIR "/etc/drover"

struct parts {
	struct settings_file files[PARTS_MAX];
	char names[PARTS_MAX][256];
	size_t count;
};

static const char empty_main[] = "version: 1\n";

static int
read_whole(const char *path, struct buf *out)
{
	char chunk[65536];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return -1;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return out->overflow ? -1 : 0;
}

static void
add_part(struct parts *parts, enum settings_file_kind kind, const char *name,
    const char *text, size_t len)
{
	struct settings_file *file = &parts->files[parts->count];
	char *own = parts->names[parts->count++];

	snprintf(own, sizeof(parts->names[0]), "%s", name);
	*file = (struct settings_file){
	    .kind = kind, .name = own, .text = text, .len = len};
}

static enum settings_file_kind
kind_of(const char *word)
{
	if (strncmp(word, "hosts", 5) == 0)
		return SETTINGS_HOSTS;
	return strncmp(word, "polic", 5) == 0 ? SETTINGS_POLICIES
					      : SETTINGS_MAIN;
}

static void
split_set(struct parts *parts, const char *text)
{
	const char *at = text;

	while (at != NULL && strncmp(at, "=== ", 4) == 0 &&
	    parts->count < PARTS_MAX) {
		const char *body = strchr(at, '\n');
		const char *next;
		char kind[16], name[64];

		if (body == NULL ||
		    sscanf(at, "=== %15s %63s", kind, name) != 2)
			return;
		body++;
		next = strstr(body, "\n=== ");
		at = next != NULL ? next + 1 : NULL;
		add_part(parts, kind_of(kind), name, body,
		    at != NULL ? (size_t)(at - body) : strlen(body));
	}
}

static void
dump_host(const struct settings_host *h, struct buf *out)
{
	buf_addf(out,
	    "host %s uri=%s migrate=%s reserve=%" PRId64
	    " outbound=%d inbound=%d at %s:%u\n",
	    h->name, h->uri, h->migrate_uri != NULL ? h->migrate_uri : "-",
	    h->reserve_memory, h->outbound, h->inbound, h->file, h->line);
	for (size_t i = 0; i < h->label_count; i++)
		buf_addf(out, "  label %s=%s\n", h->labels[i].key,
		    h->labels[i].value);
}

static void
dump_with(const struct policy *p, struct buf *out)
{
	static const char *const names[] = {
	    "live-shared", "live-copy", "restart"};

	buf_adds(out, "  strategies");
	for (size_t i = 0; i < p->strategy_count; i++)
		buf_addf(out, " %s", names[p->strategies[i]]);
	buf_addf(out, " stopped=%s bandwidth=%" PRId64 "\n",
	    p->include_stopped ? "true" : "false", p->bandwidth);
	buf_addf(out,
	    "  converge=%u downtime=%" PRId64 " pause=%" PRId64
	    " shutdown=%" PRId64 "/%" PRId64 "%s\n",
	    p->converge, p->downtime_step_max_ms, p->pause_max_ms,
	    p->shutdown_ms, p->shutdown_repeat_ms,
	    p->force_off ? " force" : "");
}

static void
dump_expr(const char *what, const struct policy_expr *e, struct buf *out)
{
	if (e->expr != NULL)
		buf_addf(out, "  %s \"%s\" at %u:%u\n", what, e->text, e->line,
		    e->column);
}

static void
dump_conditions(const struct policy *p, struct buf *out)
{
	/* The plain form is in the first line. */
	bool plain = p->condition_count == 1 &&
	    p->conditions[0].subject == POLICY_SUBJECT_HOST &&
	    p->conditions[0].for_ms == 0 && p->conditions[0].until.expr == NULL;

	for (size_t i = 0; !plain && i < p->condition_count; i++) {
		const struct policy_condition *c = &p->conditions[i];

		buf_addf(out, "  %s %s for=%" PRId64 "\n",
		    p->all ? "all" : "any", policy_subject_name(c->subject),
		    c->for_ms);
		dump_expr("  when", &c->when, out);
		dump_expr("  until", &c->until, out);
	}
}

static void
dump_target(const struct policy *p, struct buf *out)
{
	dump_expr("hosts", &p->hosts, out);
	dump_expr("select", &p->select_vm, out);
	dump_expr("select.until", &p->select_until, out);
	if (p->select_max != 0)
		buf_addf(out, "  select.max %d\n", p->select_max);
	for (size_t i = 0; i < p->exception_count; i++)
		dump_expr(p->exceptions[i].name, &p->exceptions[i].vm, out);
	dump_expr("require", &p->target_require, out);
	for (size_t i = 0; i < p->target_prefer_count; i++)
		dump_expr("prefer", &p->target_prefer[i], out);
	if (p->spread_by != NULL)
		buf_addf(out, "  spread_by %s\n", p->spread_by);
	dump_expr("forbid", &p->forbid, out);
}

static void
dump_pace(const struct policy *p, struct buf *out)
{
	if (p->actions != POLICY_ACTION_MOVE)
		buf_addf(out, "  actions %u\n", p->actions);
	if (p->gain > 0)
		buf_addf(out, "  gain %g\n", p->gain);
	if (p->cooldown_guest_ms != 0 || p->cooldown_host_ms != 0)
		buf_addf(out, "  cooldown %" PRId64 " %" PRId64 "\n",
		    p->cooldown_guest_ms, p->cooldown_host_ms);
	if (p->throttle_moves != 0)
		buf_addf(out, "  throttle %d per %" PRId64 "\n",
		    p->throttle_moves, p->throttle_ms);
	for (size_t i = 0; i < p->window_count; i++)
		buf_addf(out, "  window days=%x %d to %d %s at %u\n",
		    p->windows[i].days, p->windows[i].from_min,
		    p->windows[i].to_min,
		    p->windows[i].time_zone != NULL ? p->windows[i].time_zone
						    : "UTC",
		    p->windows[i].line);
	if (p->return_home)
		buf_adds(out, "  return_home\n");
	for (size_t i = 0; i < p->notify_count; i++)
		buf_addf(out, "  notify %s\n", p->notify[i]);
}

static void
dump_policy(const struct policy *p, struct buf *out)
{
	buf_addf(out, "policy %s mode=%s priority=%d when=\"%s\" at %s:%u:%u\n",
	    p->name, policy_mode_name(p->mode), p->priority,
	    p->condition_count > 0 ? p->conditions[0].when.text : "", p->file,
	    p->line, p->when_line);
	dump_conditions(p, out);
	buf_addf(out,
	    "  limits %d %d %d handover=%s max_downtime=%" PRId64
	    " timeout=%" PRId64 " retries=%d backoff=%" PRId64 " order=%s\n",
	    p->limit_total, p->limit_per_source, p->limit_per_target,
	    policy_handover_name(p->handover), p->max_downtime_ms,
	    p->timeout_ms, p->retries, p->backoff_ms,
	    policy_order_name(p->order));
	dump_with(p, out);
	for (size_t i = 0; i < p->except_count; i++)
		buf_addf(out, "  except %s\n", p->except[i]);
	dump_target(p, out);
	dump_pace(p, out);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct policy_strategy *rule = &p->rules[i];

		buf_addf(out, "  use %s at %u\n", policy_use_name(rule->use),
		    rule->line);
		dump_expr("  if", &rule->when, out);
		if (rule->with != p)
			dump_with(rule->with, out);
	}
	if (p->description[0] != '\0')
		buf_addf(out, "  description %s\n", p->description);
}

static void
dump_placement(const struct placement *p, struct buf *out)
{
	static const char *const kinds[] = {
	    "apart", "together", "hosts", "spread_by"};

	buf_addf(out, "placement %s %s %s %s at %s:%u\n", p->name,
	    kinds[p->kind], p->label != NULL ? p->label : "-",
	    p->hard ? "hard" : "soft", p->file, p->line);
	dump_expr("vms", &p->vms, out);
	dump_expr("hosts", &p->hosts, out);
}

static void
dump_text(const char *what, const char *text, struct buf *out)
{
	if (text != NULL)
		buf_addf(out, " %s=%s", what, text);
}

static void
dump_texts(
    const char *what, const char *const *texts, size_t count, struct buf *out)
{
	if (count > 0)
		buf_addf(out, "  %s", what);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, " %s", texts[i]);
	if (count > 0)
		buf_adds(out, "\n");
}

/* What is as it would be without its key is left out, but for the first line. */
static void
dump_receiver(const struct settings_receiver *r, struct buf *out)
{
	static const char *const modes[] = {"structured", "binary", "batched"};
	const struct receiver_kind_info *kind = &receiver_kinds[r->kind];
	size_t before;

	buf_addf(out,
	    "receiver %s type=%s url=%s secret=%s timeout=%" PRId64
	    " at %s:%u events",
	    r->name, r->type, r->url != NULL ? r->url : "-",
	    r->secret_file != NULL ? r->secret_file : "-", r->timeout_ms,
	    r->file, r->line);
	for (size_t j = 0; j < r->event_count; j++)
		buf_addf(out, " %s", r->events[j]);
	buf_adds(out, "\n");
	before = out->len;
	dump_text("url_file", r->url_file, out);
	dump_text("unix_socket", r->unix_socket, out);
	dump_text("token_file", r->token_file, out);
	dump_text("proxy", r->proxy, out);
	dump_text("ca_file", r->ca_file, out);
	dump_text("cert_file", r->cert_file, out);
	dump_text("key_file", r->key_file, out);
	dump_text("server_name", r->server_name, out);
	dump_text("template_file", r->template_file, out);
	if (strcmp(r->content_type, "application/json") != 0)
		dump_text("content_type", r->content_type, out);
	if (strcmp(r->method, "POST") != 0)
		dump_text("method", r->method, out);
	if (r->signature == RECEIVER_SIGN_GITHUB)
		buf_adds(out, " signature=github");
	if (r->severity != RECEIVER_INFO)
		dump_text("severity", receiver_severity_name(r->severity), out);
	if (r->group_by != kind->group_by)
		buf_addf(out, " group_by=%x", r->group_by);
	if (r->group_wait_ms != 30000)
		buf_addf(out, " group_wait=%" PRId64, r->group_wait_ms);
	if (r->mode != RECEIVER_STRUCTURED)
		dump_text("mode", modes[r->mode], out);
	if (r->batch != 100)
		buf_addf(out, " batch=%d", r->batch);
	if (r->connect_timeout_ms !=
	    (r->timeout_ms < 5000 ? r->timeout_ms : 5000))
		buf_addf(
		    out, " connect_timeout=%" PRId64, r->connect_timeout_ms);
	if (r->max_age_ms != kind->max_age_ms)
		buf_addf(out, " max_age=%" PRId64, r->max_age_ms);
	if (r->strict)
		buf_adds(out, " strict");
	if (r->rate != kind->rate || r->rate_ms != kind->rate_ms)
		buf_addf(out, " rate=%d/%" PRId64, r->rate, r->rate_ms);
	if (r->queue != 50000)
		buf_addf(out, " queue=%d", r->queue);
	if (r->queue_full != RECEIVER_FULL_OLDEST)
		buf_adds(out, " queue_full=newest");
	if (r->resend_ms != 0)
		buf_addf(out, " resend=%" PRId64, r->resend_ms);
	if (out->len > before)
		buf_adds(out, "\n");
	dump_texts("policies", r->policies, r->policy_count, out);
	for (size_t j = 0; j < r->header_count; j++)
		buf_addf(out, "  header %s: %s\n", r->headers[j].key,
		    r->headers[j].value);
	if (r->template != NULL)
		buf_addf(out, "  template %s\n", r->template);
}

static void
dump_settings(const struct settings *s, struct buf *out)
{
	buf_addf(out,
	    "site=%s state_dir=%s socket=%s group=\"%s\" "
	    "maintenance_dir=%s\n",
	    s->site, s->state_dir, s->socket, s->socket_group,
	    s->maintenance_dir != NULL ? s->maintenance_dir : "-");
	buf_addf(out,
	    "sample=%" PRId64 " limits=%d/%d/%d bandwidth=%" PRId64
	    " proof=%s keep=%" PRId64 "\n",
	    s->sample_interval_ms, s->limits.total, s->limits.per_source,
	    s->limits.per_target, s->limits.bandwidth,
	    s->proof == SETTINGS_PROOF_MARKER ? "marker" : "declared",
	    s->keep_source_ms);
	if (s->pressure)
		buf_adds(out, "pressure is read\n");
	if (s->alerts_listen != NULL)
		buf_addf(out,
		    "alerts listen=%s token=%s label=%s expire=%" PRId64 "\n",
		    s->alerts_listen, s->alerts_token_file,
		    s->alerts_host_label, s->alerts_expire_ms);
	for (size_t i = 0; i < s->shared_path_count; i++)
		buf_addf(out, "shared %s\n", s->shared_paths[i]);
	for (size_t i = 0; i < s->host_count; i++)
		dump_host(&s->hosts[i], out);
	for (size_t i = 0; i < s->guest_count; i++) {
		buf_addf(out, "guests %s\n", s->guests[i].match);
		for (size_t j = 0; j < s->guests[i].label_count; j++)
			buf_addf(out, "  label %s=%s\n",
			    s->guests[i].labels[j].key,
			    s->guests[i].labels[j].value);
	}
	if (s->keep_decisions_ms != KEEP_DECISIONS_MS)
		buf_addf(
		    out, "decisions keep=%" PRId64 "\n", s->keep_decisions_ms);
	for (size_t i = 0; i < s->receiver_count; i++)
		dump_receiver(&s->receivers[i], out);
	for (size_t i = 0; i < s->policy_count; i++)
		dump_policy(&s->policies[i], out);
	for (size_t i = 0; i < s->placement_count; i++)
		dump_placement(&s->placements[i], out);
}

static int
count_placeless(const char *name, const struct diag_list *diags)
{
	int bad = 0;

	for (size_t i = 0; i < diags->count; i++) {
		if (diags->items[i].line > 0 && diags->items[i].column > 0)
			continue;
		printf("%s: a fault without position: %s\n", name,
		    diags->items[i].text);
		bad++;
	}
	return bad;
}

/* Returns the number of complaints about the behaviour itself. */
static int
load(const char *name, const struct buf *in, struct buf *out)
{
	bool lint = strstr(name, "-lint") != NULL;
	bool valid = lint || strstr(name, "-valid") != NULL;
	struct parts parts = {.count = 0};
	struct diag_list diags, lints;
	struct settings *settings;
	int bad = 0;

	if (strncmp(name, "set-", 4) == 0) {
		split_set(&parts, buf_str(in));
	} else {
		add_part(&parts, kind_of(name), name, buf_str(in), in->len);
		if (parts.files[0].kind != SETTINGS_MAIN)
			add_part(&parts, SETTINGS_MAIN, "main", empty_main,
			    strlen(empty_main));
	}
	diag_init(&diags);
	diag_init(&lints);
	settings = settings_parse_linted(
	    parts.files, parts.count, MAIN_DIR, &diags, lint ? &lints : NULL);
	if (settings != NULL)
		dump_settings(settings, out);
	else
		diag_print(&diags, out);
	if (lint) {
		buf_clear(out);
		diag_print(&lints, out);
		if (!diag_any(&lints))
			buf_adds(out, "no lints\n");
	}
	if ((settings != NULL) != valid ||
	    (settings == NULL) != diag_any(&diags)) {
		printf("%s: %s\n", name, valid ? "refused" : "accepted");
		bad++;
	}
	bad += count_placeless(name, &diags) + count_placeless(name, &lints);
	settings_free(settings);
	diag_free(&diags);
	diag_free(&lints);
	return bad;
}

static int
check_one(const char *dir, const char *name, bool update)
{
	cleanup(buf_free) struct buf in = BUF_INIT(FILE_MAX);
	cleanup(buf_free) struct buf ok = BUF_INIT(FILE_MAX);
	cleanup(buf_free) struct buf out = BUF_INIT(FILE_MAX);
	char path[4400];
	int bad;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (read_whole(path, &in) != 0) {
		printf("%s: cannot be read\n", path);
		return 1;
	}
	bad = load(name, &in, &out);
	memcpy(path + strlen(path) - 3, ".ok", 4);
	if (update) {
		f = fopen(path, "wb");
		if (f == NULL ||
		    fwrite(buf_str(&out), 1, out.len, f) != out.len ||
		    fclose(f) != 0)
			return bad + 1;
		return bad;
	}
	if (read_whole(path, &ok) != 0 || ok.len != out.len ||
	    memcmp(buf_str(&ok), buf_str(&out), ok.len) != 0) {
		printf("%s: expected\n%sbut got\n%s", name, buf_str(&ok),
		    buf_str(&out));
		bad++;
	}
	return bad;
}

static int
keep_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && strcmp(entry->d_name + len - 3, ".in") == 0;
}

int
main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "-u") == 0;
	const char *srcdir = getenv("srcdir");
	struct dirent **entries = NULL;
	int rest = argc - (update ? 2 : 1);
	int count, bad = 0;
	char dir[4000];

	if (rest > 1) {
		fprintf(stderr, "usage: check_conf [-u] [FOLDER]\n");
		return 2;
	}
	if (rest == 1)
		snprintf(dir, sizeof(dir), "%s", argv[argc - 1]);
	else
		snprintf(dir, sizeof(dir), "%s/tests/conf",
		    srcdir != NULL ? srcdir : ".");
	count = scandir(dir, &entries, keep_in, alphasort);
	for (int i = 0; i < count; i++) {
		bad += check_one(dir, entries[i]->d_name, update);
		free(entries[i]);
	}
	free(entries);
	printf("%d configurations, %d complaints\n", count, bad);
	return count > 0 && bad == 0 ? 0 : 1;
}
