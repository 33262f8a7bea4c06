/*
 * A receiver that is away for a day while events go on, and a sender that is
 * killed again and again, before and while it delivers.
 *
 * The sender is a process of its own, with the announcements, outbox and
 * deliveries of the daemon; it is killed with SIGKILL when it has made so much
 * progress, not after a time, so a slow machine changes nothing.  The day is
 * virtual: what was queued is dated back.  This program is the receiver.  At
 * the end:
 *
 *   - every event arrived;
 *   - none that was acknowledged came again from the same process, nor more
 *     than once after the kill that followed;
 *   - in a second run, with `ordering: strict` and a receiver that refuses now
 *     and then, they came in order;
 *   - the sender never had more than OUTAGE_RSS_MAX_KB of memory.
 *
 * OUTAGE_EVENTS=100000 is the full size.  The rate is a figure, not a test.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "notify/announce.h"
#include "notify/deliver_private.h"
#include "record/private.h"
#include "sink.h"

#define OUTAGE_EVENTS 12000
#define OUTAGE_STRICT 600
#define OUTAGE_KILLS 4
#define OUTAGE_RSS_MAX_KB (40 * 1024)
#define OUTAGE_DEADLINE_MS (10 * 60 * 1000)
#define OUTAGE_CHUNK 500
#define DAY_MS ((int64_t)24 * 3600 * 1000)

#if defined(__SANITIZE_ADDRESS__)
#define OUTAGE_SANITIZED 1
#else
#define OUTAGE_SANITIZED 0
#endif

/* What the sender tells of itself. */
struct outage_shared {
	volatile int queued; /* durable */
	volatile long rss_kb;
};

/* What became of one event. */
struct outage_event {
	int first; /* run in which it was acknowledged first; 0: not so far */
	int later; /* times in the runs after that */
};

struct outage {
	const char *dir;
	char state[128], secret[128], url[64];
	int count;
	bool strict;
	struct outage_shared *shared;
	struct outage_event *events;
	int accepted, again, last, requests, in_run;
	struct settings_receiver receiver;
	struct settings settings;
};

static void
outage_fail(const char *what, int number)
{
	fprintf(stderr, "not ok: %s: %d\n", what, number);
	exit(1);
}

static void
outage_expect(bool holds, const char *what, int number)
{
	if (!holds)
		outage_fail(what, number);
}

/* ---- the sender ---- */

static struct store *
outage_open(struct outage *o)
{
	struct err err = {0};
	struct store *store = store_open(o->state, &err);

	if (store == NULL) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(1);
	}
	return store;
}

static int64_t
outage_ask(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void
outage_announce(struct announce *announce, int n)
{
	struct err err = {0};
	json_t *data =
	    json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:I}",
		"n", n, "guest", "web1.example.org", "uuid",
		"4dea22b3-1d52-d8f3-2516-782e98ab3fa0", "from", "kvm1", "to",
		"kvm2", "strategy", "live-shared", "reason",
		"the host is drained for maintenance", "duration_ms", 5321,
		"downtime_ms", 87, "bytes", (json_int_t)8589934592,
		"memory_bytes", (json_int_t)8589934592);

	if (announce_event(announce, "move.completed", "vm/web1", data, &err) !=
	    0) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(1);
	}
}

/* Announces what is missing, while the deliveries try in vain. */
static void
outage_queue(struct outage *o)
{
	struct store *store = outage_open(o);
	struct announce *announce = announce_new(store, &o->settings);
	struct loop *loop = loop_new();
	struct deliver *deliver = deliver_new(loop, store, &o->settings, NULL);
	int n = (int)outage_ask(store, "SELECT COUNT(*) FROM events");

	deliver_attach(deliver, announce);
	deliver_set_backoff(deliver, 10, 100);
	while (n < o->count) {
		struct err err = {0};

		o->shared->queued = n;
		outage_expect(store_begin(store, &err) == 0, "begin", n);
		for (int i = 0; i < OUTAGE_CHUNK && n < o->count; i++)
			outage_announce(announce, n++);
		outage_expect(store_commit(store, &err) == 0, "commit", n);
		announce_flush(announce);
		deliver_kick(deliver);
		event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	deliver_free(deliver);
	announce_free(announce);
	loop_free(loop);
	store_close(store);
	o->shared->queued = n;
}

/* A day goes by. */
static void
outage_age(struct outage *o)
{
	struct store *store = outage_open(o);
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "UPDATE events SET at = at - %" PRId64 ";"
	    "UPDATE outbox SET created = created - %" PRId64
	    ", next = next - %" PRId64,
	    DAY_MS, DAY_MS, DAY_MS);
	outage_expect(
	    sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK,
	    "dating back", 0);
	store_close(store);
}

static long
outage_rss(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return kb;
}

struct outage_sender {
	struct outage *outage;
	struct loop *loop;
	struct loop_timer *timer;
	struct store *store;
	struct deliver *deliver;
};

static void
outage_look(void *arg)
{
	struct outage_sender *s = arg;
	struct wall due;
	long kb = outage_rss();

	if (kb > s->outage->shared->rss_kb)
		s->outage->shared->rss_kb = kb;
	if (!deliver_busy(s->deliver) &&
	    !store_receiver_due(s->store, "ops", (struct wall){0}, &due))
		loop_stop(s->loop);
	else
		loop_timer_set(s->timer, 50);
}

static void
outage_deliver(struct outage *o)
{
	struct outage_sender s = {.outage = o, .loop = loop_new()};
	struct announce *announce;

	s.store = outage_open(o);
	announce = announce_new(s.store, &o->settings);
	s.deliver = deliver_new(s.loop, s.store, &o->settings, NULL);
	s.timer = loop_timer_new(s.loop, outage_look, &s);
	deliver_attach(s.deliver, announce);
	deliver_set_backoff(s.deliver, 1, 10);
	loop_timer_set(s.timer, 0);
	loop_run(s.loop);
	deliver_free(s.deliver);
	announce_free(announce);
	loop_timer_free(s.timer);
	loop_free(s.loop);
	store_close(s.store);
}

static pid_t
outage_fork(struct outage *o, void (*fn)(struct outage *o))
{
	pid_t pid = fork();

	outage_expect(pid >= 0, "fork", 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fn(o);
	_exit(0);
}

/* ---- the receiver ---- */

static int
outage_answer(const char *body, int run, void *arg)
{
	struct outage *o = arg;
	const char *at = strstr(body, "\"n\":");
	int n = at != NULL ? atoi(at + 4) : -1;
	struct outage_event *e = &o->events[n];

	outage_expect(n >= 0 && n < o->count, "not an event of ours", n);
	if (o->strict && ++o->requests % 23 == 0)
		return 503;
	o->in_run++;
	if (e->first == 0) {
		outage_expect(
		    !o->strict || n == o->last + 1, "came out of order", n);
		o->last = n;
		e->first = run;
		o->accepted++;
	} else {
		outage_expect(e->first != run,
		    "came again although it was acknowledged", n);
		outage_expect(
		    ++e->later == 1, "came more than once after the kill", n);
		o->again++;
	}
	return 204;
}

static bool
outage_ended(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	outage_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the sender failed", status);
	return true;
}

static void
outage_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	outage_expect(waitpid(pid, NULL, 0) == pid, "waitpid", (int)pid);
}

static void
outage_run_queue(struct outage *o)
{
	struct mono end = mono_add(clock_mono_now(), OUTAGE_DEADLINE_MS);
	int kills = 0;
	pid_t pid = outage_fork(o, outage_queue);

	while (!outage_ended(pid)) {
		outage_expect(mono_before(clock_mono_now(), end),
		    "not queued within the deadline", o->shared->queued);
		if (kills < OUTAGE_KILLS &&
		    o->shared->queued >=
			o->count / (OUTAGE_KILLS + 1) * (kills + 1)) {
			outage_kill(pid);
			kills++;
			pid = outage_fork(o, outage_queue);
		}
		usleep(1000);
	}
	outage_expect(o->shared->queued == o->count, "queued", 0);
}

/* Returns for how long events came, in ms. */
static int64_t
outage_run_deliver(struct outage *o, struct sink *sink)
{
	struct mono end = mono_add(clock_mono_now(), OUTAGE_DEADLINE_MS);
	struct mono first = {0}, last = {0};
	int64_t took = 0;
	int run = 1;
	pid_t pid = outage_fork(o, outage_deliver);

	sink_set_run(sink, run);
	o->in_run = 0;
	while (!outage_ended(pid)) {
		int before = o->in_run;

		outage_expect(mono_before(clock_mono_now(), end),
		    "not delivered within the deadline", o->accepted);
		sink_serve(sink, 10);
		if (o->in_run == before)
			continue;
		last = clock_mono_now();
		if (before == 0)
			first = last;
		if (run <= OUTAGE_KILLS &&
		    o->in_run >= o->count / (OUTAGE_KILLS + 1)) {
			outage_kill(pid);
			took += mono_diff(last, first);
			/* What it had sent is still its own. */
			for (int i = 0; i < 3; i++)
				sink_serve(sink, 0);
			o->in_run = 0;
			sink_set_run(sink, ++run);
			pid = outage_fork(o, outage_deliver);
		}
	}
	outage_expect(run == OUTAGE_KILLS + 1, "kills", run - 1);
	return took + mono_diff(last, first);
}

/* ---- both ---- */

static void
outage_write_secret(struct outage *o)
{
	FILE *f = fopen(o->secret, "w");

	outage_expect(f != NULL, "the secret", 0);
	fputs("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", f);
	fchmod(fileno(f), 0600);
	fclose(f);
}

static void
outage_run(const char *dir, int count, bool strict)
{
	static const char *const all[] = {"*"};
	struct outage o = {
	    .dir = dir, .count = count, .strict = strict, .last = -1};
	struct sink *sink = sink_new(outage_answer, &o);
	int64_t ms;

	snprintf(o.state, sizeof(o.state), "%s/state%d", dir, strict);
	snprintf(o.secret, sizeof(o.secret), "%s/secret", dir);
	snprintf(o.url, sizeof(o.url), "http://127.0.0.1:%d/", sink_port(sink));
	outage_write_secret(&o);
	o.shared = mmap(NULL, sizeof(*o.shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	o.events = calloc((size_t)count, sizeof(*o.events));
	outage_expect(o.shared != MAP_FAILED && o.events != NULL, "memory", 0);
	o.receiver = (struct settings_receiver){.name = "ops",
	    .type = "cloudevents",
	    .kind = RECEIVER_CLOUDEVENTS,
	    .events = all,
	    .event_count = 1,
	    .url = o.url,
	    .secret_file = o.secret,
	    .timeout_ms = 10000,
	    .max_age_ms = 7 * DAY_MS,
	    .queue = count + 1,
	    .strict = strict};
	o.settings = (struct settings){
	    .site = "lab", .receivers = &o.receiver, .receiver_count = 1};
	outage_run_queue(&o);
	outage_age(&o);
	sink_open(sink);
	ms = outage_run_deliver(&o, sink);
	outage_expect(o.accepted == count, "events arrived", o.accepted);
	if (!OUTAGE_SANITIZED)
		outage_expect(o.shared->rss_kb < OUTAGE_RSS_MAX_KB,
		    "memory of the sender in KiB", (int)o.shared->rss_kb);
	printf(
	    "ok - %d events after a day%s, %d kills before and %d while they "
	    "were sent: %d came twice, %" PRId64 " per second, %ld KiB\n",
	    count, strict ? ", in order" : "", OUTAGE_KILLS, OUTAGE_KILLS,
	    o.again, ms > 0 ? (int64_t)count * 1000 / ms : 0, o.shared->rss_kb);
	sink_free(sink);
	munmap(o.shared, sizeof(*o.shared));
	free(o.events);
}

int
main(void)
{
	const char *events = getenv("OUTAGE_EVENTS");
	int count = events != NULL ? atoi(events) : OUTAGE_EVENTS;
	char dir[] = "/var/tmp/outage.XXXXXX", command[64];

	signal(SIGPIPE, SIG_IGN);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	log_set_level(LOG_LEVEL_ERROR);
	setvbuf(stdout, NULL, _IOLBF, 0);
	outage_expect(count >= 1000, "OUTAGE_EVENTS is too small", count);
	outage_expect(mkdtemp(dir) != NULL, "mkdtemp", 0);
	outage_run(dir, count, false);
	outage_run(dir, OUTAGE_STRICT, true);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : 1;
}
