/*
 * A host for tests; see fake_hv.h.  One mutex over everything, and a condition
 * for calls that are held.
 */
#include "fake_hv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_CONNS_MAX 256
#define FAKE_HOSTS 9
#define FAKE_SURVEYS_MAX 256
#define FAKE_VOLUMES_MAX 64

struct hv_conn {
	hv_event_fn fn;
	void *arg;
	bool alive, closed;
	int users;
	int host;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Held while an event is emitted, so that close can wait for it. */
static pthread_mutex_t emitting = PTHREAD_MUTEX_INITIALIZER;

static struct hv_conn conns[FAKE_CONNS_MAX];
static int opened, closed, misused;
static int version;
static bool domain_gone;
static struct hv_mark marks[FAKE_HOSTS + 1];
static struct {
	int folder; /* 0: a free place */
	char name[64];
	int number;
} volumes[FAKE_VOLUMES_MAX];
static int volume_number;
static const char *files;
static bool stale;
static struct {
	int folder;
	int seen; /* volumes after this number are not seen */
	bool fresh;
} pools[FAKE_HOSTS + 1];
static char surveyed[FAKE_SURVEYS_MAX][HV_UUID_SIZE + 1];
static int surveys;
static const char *image_path;
static int64_t image_allocation, dirty_rate;
static struct {
	bool held;
	int begun, inside, most;
	int fail;
	struct err err;
} calls[FAKE_CALLS];

void
fake_reset(void)
{
	(void)pthread_mutex_lock(&lock);
	memset(conns, 0, sizeof(conns));
	memset(calls, 0, sizeof(calls));
	opened = closed = misused = version = 0;
	domain_gone = false;
	memset(marks, 0, sizeof(marks));
	memset(volumes, 0, sizeof(volumes));
	memset(pools, 0, sizeof(pools));
	volume_number = 0;
	files = NULL;
	stale = false;
	surveys = 0;
	image_path = NULL;
	image_allocation = dirty_rate = FACTS_UNKNOWN;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_hold(enum fake_call call)
{
	(void)pthread_mutex_lock(&lock);
	calls[call].held = true;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_let_go(enum fake_call call)
{
	(void)pthread_mutex_lock(&lock);
	calls[call].held = false;
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&lock);
}

void
fake_fail(
    enum fake_call call, int count, enum err_code code, const char *message)
{
	(void)pthread_mutex_lock(&lock);
	calls[call].fail = count;
	(void)err_set(&calls[call].err, code, "%s", message);
	(void)pthread_mutex_unlock(&lock);
}

void
fake_change(void)
{
	(void)pthread_mutex_lock(&lock);
	version++;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_remove_domain(void)
{
	(void)pthread_mutex_lock(&lock);
	domain_gone = true;
	version++;
	(void)pthread_mutex_unlock(&lock);
}

const char *
fake_surveyed(int n)
{
	const char *text;

	(void)pthread_mutex_lock(&lock);
	text = n < surveys ? surveyed[n] : NULL;
	(void)pthread_mutex_unlock(&lock);
	return text;
}

void
fake_set_survey(const char *path, int64_t allocation, int64_t rate)
{
	(void)pthread_mutex_lock(&lock);
	image_path = path;
	image_allocation = allocation;
	dirty_rate = rate;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_set_files(const char *prefix)
{
	(void)pthread_mutex_lock(&lock);
	files = prefix;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_set_folder(int host, int folder)
{
	(void)pthread_mutex_lock(&lock);
	pools[host].folder = folder;
	(void)pthread_mutex_unlock(&lock);
}

void
fake_set_stale(bool is)
{
	(void)pthread_mutex_lock(&lock);
	stale = is;
	(void)pthread_mutex_unlock(&lock);
}

int
fake_volumes(void)
{
	int count = 0;

	(void)pthread_mutex_lock(&lock);
	for (int i = 0; i < FAKE_VOLUMES_MAX; i++)
		count += volumes[i].folder != 0;
	(void)pthread_mutex_unlock(&lock);
	return count;
}

struct hv_mark
fake_mark(int host)
{
	struct hv_mark seen;

	(void)pthread_mutex_lock(&lock);
	seen = marks[host];
	(void)pthread_mutex_unlock(&lock);
	return seen;
}

void
fake_set_mark(int host, const char *owner, int64_t beat)
{
	(void)pthread_mutex_lock(&lock);
	marks[host].beat = beat;
	(void)snprintf(
	    marks[host].owner, sizeof(marks[host].owner), "%s", owner);
	(void)pthread_mutex_unlock(&lock);
}

/* With the lock held: the newest main connection that is open. */
static struct hv_conn *
fake_main(void)
{
	for (int i = FAKE_CONNS_MAX - 1; i >= 0; i--) {
		if (conns[i].fn != NULL && !conns[i].closed)
			return &conns[i];
	}
	return NULL;
}

static void
fake_emit_event(const struct hv_event *event, bool breaks)
{
	struct hv_conn *conn;

	(void)pthread_mutex_lock(&emitting);
	(void)pthread_mutex_lock(&lock);
	conn = fake_main();
	if (conn != NULL && breaks)
		conn->alive = false;
	(void)pthread_mutex_unlock(&lock);
	if (conn != NULL)
		conn->fn(event, conn->arg);
	(void)pthread_mutex_unlock(&emitting);
}

void
fake_emit(enum hv_event_kind kind, const char *uuid)
{
	struct hv_event event = {.kind = kind};

	(void)snprintf(event.uuid, sizeof(event.uuid), "%s", uuid);
	fake_emit_event(&event, false);
}

void
fake_break(const char *why)
{
	struct hv_event event = {.kind = HV_EVENT_CLOSED};

	(void)snprintf(event.detail, sizeof(event.detail), "%s", why);
	fake_emit_event(&event, true);
}

void
fake_break_idle(void)
{
	(void)pthread_mutex_lock(&lock);
	for (int i = 0; i < FAKE_CONNS_MAX; i++) {
		if (conns[i].fn == NULL)
			conns[i].alive = false;
	}
	(void)pthread_mutex_unlock(&lock);
}

static int
fake_number(const int *number)
{
	int value;

	(void)pthread_mutex_lock(&lock);
	value = *number;
	(void)pthread_mutex_unlock(&lock);
	return value;
}

int
fake_begun(enum fake_call call)
{
	return fake_number(&calls[call].begun);
}

int
fake_inside(enum fake_call call)
{
	return fake_number(&calls[call].inside);
}

int
fake_most_inside(enum fake_call call)
{
	return fake_number(&calls[call].most);
}

int
fake_opened(void)
{
	return fake_number(&opened);
}

int
fake_closed(void)
{
	return fake_number(&closed);
}

int
fake_misused(void)
{
	return fake_number(&misused);
}

/* Enters a call: waits while it is held.  -1: it is to fail.  Returns with the
 * lock held.  *seen is the number when the call began. */
static int
fake_enter(
    enum fake_call call, struct hv_conn *conn, int *seen, struct err *err)
{
	int rc = 0;

	(void)pthread_mutex_lock(&lock);
	calls[call].begun++;
	calls[call].inside++;
	if (calls[call].inside > calls[call].most)
		calls[call].most = calls[call].inside;
	if (conn != NULL) {
		conn->users++;
		misused += conn->closed;
	}
	*seen = version;
	while (calls[call].held)
		(void)pthread_cond_wait(&changed, &lock);
	if (calls[call].fail > 0) {
		calls[call].fail--;
		rc = err_set(
		    err, calls[call].err.code, "%s", calls[call].err.msg);
	}
	return rc;
}

static void
fake_leave(enum fake_call call, struct hv_conn *conn)
{
	calls[call].inside--;
	if (conn != NULL)
		conn->users--;
	(void)pthread_mutex_unlock(&lock);
}

static struct hv_conn *
fake_open(const char *uri, hv_event_fn on_event, void *arg, struct err *err)
{
	struct hv_conn *conn = NULL;
	int seen;

	if (fake_enter(FAKE_OPEN, NULL, &seen, err) == 0 &&
	    opened < FAKE_CONNS_MAX) {
		conn = &conns[opened++];
		*conn = (struct hv_conn){.fn = on_event,
		    .arg = arg,
		    .alive = true,
		    .host = uri[strlen(uri) - 1] - '0'};
	}
	fake_leave(FAKE_OPEN, NULL);
	return conn;
}

static void
fake_close(struct hv_conn *conn)
{
	(void)pthread_mutex_lock(&emitting);
	(void)pthread_mutex_lock(&lock);
	misused += conn->closed || conn->users > 0;
	conn->closed = true;
	closed++;
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_mutex_unlock(&emitting);
}

static bool
fake_alive(struct hv_conn *conn)
{
	bool alive;

	(void)pthread_mutex_lock(&lock);
	alive = conn->alive;
	(void)pthread_mutex_unlock(&lock);
	return alive;
}

static char *
fake_text(int seen)
{
	char *text = NULL;

	if (asprintf(&text, "%d", seen) < 0)
		abort();
	return text;
}

static struct facts_host *
fake_list(struct hv_conn *conn, struct err *err)
{
	struct facts_host *facts = NULL;
	int seen;

	if (fake_enter(FAKE_LIST, conn, &seen, err) == 0) {
		facts = calloc(1, sizeof(*facts));
		if (facts == NULL)
			abort();
		facts->hostname = fake_text(seen);
	}
	fake_leave(FAKE_LIST, conn);
	return facts;
}

static struct facts_domain *
fake_domain(struct hv_conn *conn, const char *uuid, struct err *err)
{
	struct facts_domain *domain = NULL;
	int seen;

	if (fake_enter(FAKE_DOMAIN, conn, &seen, err) == 0) {
		if (domain_gone) {
			(void)err_set(err, ERR_NOT_FOUND, "no such domain");
		} else {
			domain = calloc(1, sizeof(*domain));
			if (domain == NULL)
				abort();
			domain->uuid = strdup(uuid);
			domain->name = fake_text(seen);
		}
	}
	fake_leave(FAKE_DOMAIN, conn);
	return domain;
}

static int
fake_load(struct hv_conn *conn, struct facts_load *out, struct err *err)
{
	int seen, rc = fake_enter(FAKE_LOAD, conn, &seen, err);

	if (rc == 0)
		*out = (struct facts_load){.memory_total = 1};
	fake_leave(FAKE_LOAD, conn);
	return rc;
}

int
fake_stats(
    struct hv_conn *conn, bool disks, struct facts_load *out, struct err *err)
{
	int seen, rc = fake_enter(FAKE_STATS, conn, &seen, err);

	if (rc == 0) {
		*out = (struct facts_load){.guests_only = true, .disks = disks};
		out->domains = calloc(1, sizeof(out->domains[0]));
		if (out->domains == NULL)
			abort();
	}
	fake_leave(FAKE_STATS, conn);
	return rc;
}

static int
fake_job(
    struct hv_conn *conn, const char *uuid, struct hv_job *out, struct err *err)
{
	int seen, rc = fake_enter(FAKE_JOB, conn, &seen, err);

	(void)uuid;
	if (rc == 0)
		*out = (struct hv_job){.active = conn->fn == NULL};
	fake_leave(FAKE_JOB, conn);
	return rc;
}

static int
fake_migrate(
    struct hv_conn *conn, const struct hv_migrate *how, struct err *err)
{
	int seen, rc = fake_enter(FAKE_MIGRATE, conn, &seen, err);

	(void)how;
	misused += conn->fn != NULL || conn->users > 1;
	fake_leave(FAKE_MIGRATE, conn);
	return rc;
}

static char *
fake_copy(const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	if (text != NULL && copy == NULL)
		abort();
	return copy;
}

static struct facts_survey *
fake_survey(struct hv_conn *conn, const char *uuid, int64_t dirty_ms,
    const bool *cancel, struct err *err)
{
	struct facts_survey *facts = NULL;
	int seen, rc = fake_enter(FAKE_SURVEY, conn, &seen, err);

	(void)cancel;
	if (surveys < FAKE_SURVEYS_MAX)
		(void)snprintf(surveyed[surveys++], sizeof(surveyed[0]), "%s%s",
		    uuid, dirty_ms > 0 ? "+" : "");
	if (rc == 0) {
		facts = calloc(1, sizeof(*facts));
		if (facts == NULL ||
		    (facts->disks = calloc(1, sizeof(*facts->disks))) == NULL)
			abort();
		facts->uuid = fake_copy(uuid);
		facts->dirty_rate = dirty_ms > 0 ? dirty_rate : FACTS_UNKNOWN;
		facts->dirty_window_ms = dirty_ms;
		facts->disk_count = image_path != NULL;
		facts->disks[0] =
		    (struct facts_disk){.path = fake_copy(image_path),
			.target = fake_copy(image_path != NULL ? "vda" : NULL),
			.capacity = image_allocation,
			.allocation = image_allocation,
			.top_allocation = image_allocation};
	}
	fake_leave(FAKE_SURVEY, conn);
	return facts;
}

/* With the lock held: the place of this volume, or (name NULL) a free one. */
static int
fake_find_volume(int folder, const char *name)
{
	for (int i = 0; i < FAKE_VOLUMES_MAX; i++) {
		if (name == NULL ? volumes[i].folder == 0
				 : volumes[i].folder == folder &&
			    strcmp(volumes[i].name, name) == 0)
			return i;
	}
	return -1;
}

static int
fake_prepare(struct hv_conn *conn, const struct hv_volume *wanted, size_t count,
    struct hv_prepared *out, struct err *err)
{
	int seen, rc = fake_enter(FAKE_PREPARE, conn, &seen, err);
	int folder = pools[conn->host].folder, at;

	memset(out, 0, count * sizeof(*out));
	if (rc == 0 && folder == 0)
		rc = err_set(err, ERR_NOT_FOUND, "no such pool");
	if (rc == 0 && fake_find_volume(folder, wanted->name) >= 0)
		rc = err_set(err, ERR_CONFLICT, "it is there already");
	at = fake_find_volume(0, NULL);
	if (rc == 0 && at >= 0) {
		volumes[at].folder = folder;
		volumes[at].number = ++volume_number;
		(void)snprintf(volumes[at].name, sizeof(volumes[at].name), "%s",
		    wanted->name);
		pools[conn->host].fresh = true;
		out->created = true;
	}
	fake_leave(FAKE_PREPARE, conn);
	return rc;
}

static int
fake_remove(struct hv_conn *conn, const struct hv_volume *which, size_t count,
    struct err *err)
{
	int seen, rc = fake_enter(FAKE_REMOVE, conn, &seen, err);
	int folder = pools[conn->host].folder;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		int at = fake_find_volume(folder, which[i].name);

		if (at >= 0)
			volumes[at].folder = 0;
	}
	fake_leave(FAKE_REMOVE, conn);
	return rc;
}

static int
fake_names(struct hv_conn *conn, const char *pool, const char *prefix,
    char ***out, size_t *out_count, struct err *err)
{
	int seen, rc = fake_enter(FAKE_NAMES, conn, &seen, err);
	int host = conn->host;
	char **names = calloc(FAKE_VOLUMES_MAX, sizeof(*names));
	size_t n = 0;

	(void)pool;
	if (names == NULL)
		abort();
	if (!stale || pools[host].fresh)
		pools[host].seen = volume_number;
	pools[host].fresh = false;
	for (int i = 0; rc == 0 && i < FAKE_VOLUMES_MAX; i++) {
		if (volumes[i].folder != 0 &&
		    volumes[i].folder == pools[host].folder &&
		    volumes[i].number <= pools[host].seen &&
		    strncmp(volumes[i].name, prefix, strlen(prefix)) == 0)
			names[n++] = fake_copy(volumes[i].name);
	}
	if (rc == 0) {
		*out = names;
		*out_count = n;
	} else {
		free(names);
	}
	fake_leave(FAKE_NAMES, conn);
	return rc;
}

static int
fake_has_file(
    struct hv_conn *conn, const char *path, bool *out, struct err *err)
{
	int seen, rc = fake_enter(FAKE_HAS_FILE, conn, &seen, err);

	if (rc == 0)
		*out =
		    files != NULL && strncmp(path, files, strlen(files)) == 0;
	fake_leave(FAKE_HAS_FILE, conn);
	return rc;
}

static bool
fake_is_mark(const struct hv_mark *a, const struct hv_mark *b)
{
	return b != NULL && strcmp(a->owner, b->owner) == 0 &&
	    a->beat == b->beat;
}

static int
fake_claim(struct hv_conn *conn, const struct hv_mark *wanted,
    const struct hv_mark *dead, struct hv_mark *held, struct err *err)
{
	int seen, rc = fake_enter(FAKE_CLAIM, conn, &seen, err);
	struct hv_mark *mark = &marks[conn->host];

	if (rc == 0 && mark->owner[0] != '\0' &&
	    strcmp(mark->owner, wanted->owner) != 0 &&
	    !fake_is_mark(mark, dead)) {
		*held = *mark;
		rc = err_set(err, ERR_CONFLICT, "held by %s", mark->owner);
	} else if (rc == 0) {
		*mark = *wanted;
	}
	fake_leave(FAKE_CLAIM, conn);
	return rc;
}

static int
fake_unclaim(struct hv_conn *conn, const char *owner, struct err *err)
{
	int seen, rc = fake_enter(FAKE_UNCLAIM, conn, &seen, err);
	struct hv_mark *mark = &marks[conn->host];

	if (rc == 0 && strcmp(mark->owner, owner) == 0)
		memset(mark, 0, sizeof(*mark));
	fake_leave(FAKE_UNCLAIM, conn);
	return rc;
}

const struct hv_ops fake_hv = {
    .open = fake_open,
    .close = fake_close,
    .alive = fake_alive,
    .list = fake_list,
    .domain = fake_domain,
    .load = fake_load,
    .job = fake_job,
    .migrate = fake_migrate,
    .survey = fake_survey,
    .prepare = fake_prepare,
    .remove = fake_remove,
    .names = fake_names,
    .has_file = fake_has_file,
    .claim = fake_claim,
    .unclaim = fake_unclaim,
};
