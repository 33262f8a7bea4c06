/*
 * "Would it work?", answered without doing anything: the configuration, the
 * secrets, and with -T every host, each by a thread of its own, so that one that hangs
 * shows as such and the others are told at once.
 */
#include "selftest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/files.h"
#include "hv/hv.h"
#include "notify/format.h"
#include "notify/secret.h"
#include "run/loop.h"
#include "run/workers.h"

enum { STATUS_HOST = 1, STATUS_CONFIG = 6 };

struct check {
	struct loop *loop;
	size_t open; /* hosts without an answer */
	int status;
	struct probe *probes;
	size_t count;
};

struct probe {
	struct check *check; /* loop thread only; NULL: nobody waits */
	char *name, *uri;
	bool answered;
	struct hv_access access;
	struct err err;
};

static void
work_probe(void *item)
{
	struct probe *p = item;
	struct hv_conn *conn = hv_libvirt.open(p->uri, NULL, NULL, &p->err);

	if (conn == NULL)
		return;
	(void)hv_libvirt.access(conn, &p->access, &p->err);
	hv_libvirt.close(conn);
}

static void
print_version(int64_t v)
{
	(void)printf("%" PRId64 ".%" PRId64 ".%" PRId64, v / 1000000,
	    v / 1000 % 1000, v % 1000);
}

static void
done_probe(void *item, int cancelled)
{
	struct probe *p = item;
	struct check *check = p->check;

	if (cancelled || p->answered)
		return;
	p->answered = true;
	if (p->err.code != ERR_NONE) {
		(void)printf("host %s: FAILED: %s\n", p->name, p->err.msg);
		check->status = STATUS_HOST;
	} else if (!p->access.writable) {
		(void)printf(
		    "host %s: FAILED: connected, but only for reading; "
		    "droverd must be allowed to migrate\n",
		    p->name);
		check->status = STATUS_HOST;
	} else {
		(void)printf(
		    "host %s: ok (%s, libvirt ", p->name, p->access.hostname);
		print_version(p->access.libvirt_version);
		(void)printf(", QEMU ");
		print_version(p->access.hypervisor_version);
		(void)printf("%s)\n",
		    p->access.secure ? "" : ", connection NOT encrypted");
	}
	(void)fflush(stdout);
	if (--check->open == 0)
		loop_stop(check->loop);
}

static void
on_deadline(void *arg)
{
	struct check *check = arg;

	for (size_t i = 0; i < check->count; i++) {
		struct probe *p = &check->probes[i];

		if (p->answered)
			continue;
		p->answered = true;
		(void)printf("host %s: FAILED: no answer within %d s\n",
		    p->name, SELFTEST_HOST_MS / 1000);
		check->status = STATUS_HOST;
	}
	loop_stop(check->loop);
}

static void
free_probes(struct check *check)
{
	for (size_t i = 0; i < check->count; i++) {
		free(check->probes[i].name);
		free(check->probes[i].uri);
	}
	free(check->probes);
}

static int
check_hosts(const struct settings *s)
{
	struct check check = {
	    .loop = loop_new(), .open = s->host_count, .count = s->host_count};
	struct workers *workers;
	struct loop_timer *deadline;
	struct err err = {0};

	if (check.loop == NULL || hv_libvirt_start(&err) < 0) {
		(void)fprintf(stderr, "droverd: %s\n", err.msg);
		return STATUS_HOST;
	}
	/* Not freed while an answer is out: a thread that hangs writes there. */
	check.probes = calloc(s->host_count + 1, sizeof(*check.probes));
	if (check.probes == NULL)
		abort();
	workers = workers_new(check.loop);
	deadline = loop_timer_new(check.loop, on_deadline, &check);
	loop_timer_set(deadline, SELFTEST_HOST_MS);
	for (size_t i = 0; i < s->host_count; i++) {
		struct probe *p = &check.probes[i];

		p->check = &check;
		p->name = strdup(s->hosts[i].name);
		p->uri = strdup(s->hosts[i].uri);
		if (p->name == NULL || p->uri == NULL)
			abort();
		(void)workers_submit(
		    workers, WORKERS_OPEN, p->name, work_probe, done_probe, p);
	}
	if (check.open > 0)
		(void)loop_run(check.loop);
	workers_free(workers, 0);
	loop_timer_free(deadline);
	loop_free(check.loop);
	if (check.open == 0)
		free_probes(&check);
	return check.status;
}

/* Each event that a receiver of type custom will be sent comes out right. */
static int
check_template(const struct settings_receiver *r, const struct secret_set *set,
    struct buf *said)
{
	const struct format_secrets secrets = {
	    .token = set->token, .template = set->template};
	struct err err = {0};
	int count;

	if (r->kind != RECEIVER_CUSTOM)
		return 0;
	count = format_custom_rehearse(r, &secrets, &err);
	if (count < 0) {
		(void)fprintf(stderr, "%s:%u: receiver %s: %s\n", r->file,
		    r->line, r->name, err.msg);
		return STATUS_CONFIG;
	}
	buf_addf(said, "receiver %s: template ok with %d event%s\n", r->name,
	    count, count == 1 ? "" : "s");
	return 0;
}

/* What the files of receivers hold: URLs, secrets, tokens, templates.  What is
 * good about it goes into `said`. */
static int
check_secrets(const struct settings *s, struct buf *said)
{
	int status = 0;

	for (size_t i = 0; i < s->receiver_count; i++) {
		const struct settings_receiver *r = &s->receivers[i];
		struct secret_set set;
		struct err err = {0};

		if (secret_needs_service(r)) {
			(void)fprintf(stderr,
			    "%s:%u: receiver %s: its files are not checked: "
			    "credentials are only there for the service\n",
			    r->file, r->line, r->name);
			continue;
		}
		if (secret_load(r, &set, &err) < 0) {
			(void)fprintf(
			    stderr, "%s:%u: %s\n", r->file, r->line, err.msg);
			status = STATUS_CONFIG;
			continue;
		}
		if (check_template(r, &set, said) != 0)
			status = STATUS_CONFIG;
		secret_clear(&set);
	}
	return status;
}

int
selftest_run(const char *config_path, bool connect)
{
	struct diag_list diags;
	struct buf text = BUF_INIT(1 << 20);
	struct settings *s;
	int status;

	log_set_level(LOG_LEVEL_ERROR);
	diag_init(&diags);
	s = files_load_settings(config_path, &diags);
	if (s == NULL) {
		diag_print(&diags, &text);
		(void)fputs(buf_str(&text), stderr);
		(void)fprintf(stderr, "%s: %zu fault%s\n", config_path,
		    diags.count + diags.dropped,
		    diags.count + diags.dropped == 1 ? "" : "s");
		buf_free(&text);
		diag_free(&diags);
		return STATUS_CONFIG;
	}
	diag_free(&diags);
	status = check_secrets(s, &text);
	if (status == 0) {
		(void)printf("%s: ok: %zu hosts, %zu policies, %zu "
			     "receivers\n",
		    config_path, s->host_count, s->policy_count,
		    s->receiver_count);
		for (size_t i = 0; i < s->policy_count; i++)
			(void)printf("policy %s: %s (%s:%u)\n",
			    s->policies[i].name,
			    policy_mode_name(s->policies[i].mode),
			    s->policies[i].file, s->policies[i].line);
		(void)fputs(buf_str(&text), stdout);
		(void)fflush(stdout);
		if (connect)
			status = check_hosts(s);
	}
	buf_free(&text);
	settings_free(s);
	return status;
}
