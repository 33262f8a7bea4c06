/*
 * The site's disks, and what moves a guest by shutting it down and starting it
 * elsewhere.  Contents are numbers, so that one that got lost or mixed up shows.
 */
#include "fake_site_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VOLUMES_MAX 32
#define CALLS_MAX 32
#define COPY_BYTES 100000000

struct volume {
	bool present;
	char pool[32], name[80], path[128];
	int content;
};

static struct volume volumes[SITE_HOSTS][VOLUMES_MAX];
static struct {
	const char *what;
	int count;
	int64_t value;
	bool fails;
	struct err err;
} calls[CALLS_MAX];
static bool copies_held;
static int copying, spoiled;

void
site_reset_disks(void)
{
	memset(volumes, 0, sizeof(volumes));
	memset(calls, 0, sizeof(calls));
	copies_held = false;
	copying = spoiled = 0;
}

/* ---- with the lock held ---- */

static size_t
call_of(const char *what)
{
	size_t i = 0;

	while (i < CALLS_MAX - 1 && calls[i].what != NULL &&
	    strcmp(calls[i].what, what) != 0)
		i++;
	calls[i].what = what;
	return i;
}

/* Counts it; -1: it is to fail. */
static int
called(const char *what, int64_t value, struct err *err)
{
	size_t i = call_of(what);

	calls[i].count++;
	calls[i].value = value;
	if (!calls[i].fails)
		return 0;
	calls[i].fails = false;
	return err_set(err, calls[i].err.code, "%s", calls[i].err.msg);
}

static struct volume *
volume_at(int host, const char *path)
{
	for (int i = 0; i < VOLUMES_MAX; i++) {
		if (volumes[host][i].present &&
		    strcmp(volumes[host][i].path, path) == 0)
			return &volumes[host][i];
	}
	return NULL;
}

static struct volume *
volume_in(int host, const char *pool, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/%s/%s", pool, name);
	return volume_at(host, path);
}

static struct volume *
make_volume(int host, const char *pool, const char *name, int content)
{
	struct volume *v = volume_in(host, pool, name);

	for (int i = 0; v == NULL && i < VOLUMES_MAX; i++) {
		if (!volumes[host][i].present)
			v = &volumes[host][i];
	}
	if (v == NULL)
		abort();
	v->present = true;
	v->content = content;
	(void)snprintf(v->pool, sizeof(v->pool), "%s", pool);
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	(void)snprintf(v->path, sizeof(v->path), "/%s/%s", pool, name);
	return v;
}

/* Any guest of the host has it as a disk, or below one. */
static bool
is_used(int host, const char *path)
{
	for (int n = 0; n < SITE_GUESTS; n++) {
		const struct site_guest *g = &guests[host][n];

		if (g->present &&
		    (strcmp(g->disk, path) == 0 || strcmp(g->layer, path) == 0))
			return true;
	}
	return false;
}

static bool
is_on(const struct site_guest *g)
{
	return g->present && g->state == DOMAIN_RUNNING;
}

/* The image that a running guest writes to. */
static bool
is_written(int host, const char *path)
{
	for (int n = 0; n < SITE_GUESTS; n++) {
		const struct site_guest *g = &guests[host][n];
		const char *top = g->layer[0] != '\0' ? g->layer : g->disk;

		if (is_on(g) && strcmp(top, path) == 0)
			return true;
	}
	return false;
}

static int
content_of(int host, int n)
{
	const struct site_guest *g = &guests[host][n];
	struct volume *base = volume_at(host, g->disk);
	struct volume *layer = volume_at(host, g->layer);

	if (base == NULL || (g->layer[0] != '\0' && layer == NULL))
		return -1;
	return base->content + (layer != NULL ? layer->content : 0);
}

/* A live migration has copied the disk into the volume that was made for it. */
void
site_disks_arrive(int from, int to, int n)
{
	struct site_guest *g = &guests[to][n];
	struct volume *v = volume_at(to, g->disk);
	int content = content_of(from, n);

	if (g->disk[0] != '\0' && v == NULL)
		spoiled++;
	else if (v != NULL)
		v->content = content;
}

/* ---- for tests ---- */

void
site_add_volume(int host, const char *pool, const char *name, int content)
{
	site_lock();
	(void)make_volume(host - 1, pool, name, content);
	site_unlock();
}

bool
site_has_volume(int host, const char *pool, const char *name)
{
	bool has;

	site_lock();
	has = volume_in(host - 1, pool, name) != NULL;
	site_unlock();
	return has;
}

int
site_volumes(int host)
{
	int count = 0;

	site_lock();
	for (int i = 0; i < VOLUMES_MAX; i++)
		count += volumes[host - 1][i].present;
	site_unlock();
	return count;
}

void
site_give_disk(int host, int n, int content)
{
	struct site_guest *g = &guests[host - 1][n];
	char name[64];

	site_lock();
	(void)snprintf(name, sizeof(name), "%s.qcow2", g->name);
	(void)snprintf(g->disk, sizeof(g->disk), "%s",
	    make_volume(host - 1, "local", name, content)->path);
	site_unlock();
}

void
site_set_off(int n)
{
	site_lock();
	for (int h = 0; h < SITE_HOSTS; h++) {
		guests[h][n].state = DOMAIN_SHUTOFF;
		guests[h][n].reason = DOMAIN_REASON_SHUTDOWN;
	}
	site_unlock();
}

void
site_share_disk(int host, int other)
{
	site_lock();
	memcpy(volumes[other - 1], volumes[host - 1], sizeof(volumes[0]));
	site_unlock();
}

void
site_set_manners(int n, enum site_manners manners)
{
	site_lock();
	for (int h = 0; h < SITE_HOSTS; h++)
		guests[h][n].manners = manners;
	site_unlock();
}

int
site_content(int host, int n)
{
	int content;

	site_lock();
	content = content_of(host - 1, n);
	site_unlock();
	return content;
}

void
site_write(int host, int n)
{
	const struct site_guest *g = &guests[host - 1][n];
	struct volume *v;

	site_lock();
	v = volume_at(host - 1, g->layer[0] != '\0' ? g->layer : g->disk);
	if (v != NULL && is_on(g))
		v->content++;
	site_unlock();
}

void
site_hold_copies(bool hold)
{
	site_lock();
	copies_held = hold;
	site_unlock();
}

int
site_copying(void)
{
	int count;

	site_lock();
	count = copying;
	site_unlock();
	return count;
}

int
site_calls(const char *what)
{
	int count;

	site_lock();
	count = calls[call_of(what)].count;
	site_unlock();
	return count;
}

int64_t
site_last_value(const char *what)
{
	int64_t value;

	site_lock();
	value = calls[call_of(what)].value;
	site_unlock();
	return value;
}

void
site_fail(const char *what, enum err_code code, const char *message)
{
	size_t i;

	site_lock();
	i = call_of(what);
	calls[i].fails = true;
	(void)err_set(&calls[i].err, code, "%s", message);
	site_unlock();
}

int
site_spoiled(void)
{
	int count;

	site_lock();
	count = spoiled;
	site_unlock();
	return count;
}

/* ---- a migration that runs ---- */

static int
count_call(const char *what, int64_t value, struct err *err)
{
	int rc;

	site_lock();
	rc = called(what, value, err);
	site_unlock();
	return rc;
}

int
site_set_bandwidth(
    struct hv_conn *conn, const char *uuid, int64_t value, struct err *err)
{
	(void)conn;
	(void)uuid;
	return count_call("set-bandwidth", value, err);
}

int
site_set_max_downtime(
    struct hv_conn *conn, const char *uuid, int64_t value, struct err *err)
{
	(void)conn;
	(void)uuid;
	return count_call("set-max-downtime", value, err);
}

int
site_start_postcopy(struct hv_conn *conn, const char *uuid, struct err *err)
{
	(void)conn;
	(void)uuid;
	return count_call("start-postcopy", 0, err);
}

int
site_suspend(struct hv_conn *conn, const char *uuid, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	int rc;

	site_tell("suspend", uuid);
	site_lock();
	rc = called("suspend", 0, err);
	if (rc == 0 && is_on(g)) {
		g->state = DOMAIN_PAUSED;
		g->reason = DOMAIN_REASON_USER;
	}
	site_unlock();
	return rc;
}

/* ---- images ---- */

int
site_prepare(struct hv_conn *conn, const struct hv_volume *asked, size_t count,
    struct hv_prepared *out, struct err *err)
{
	int rc;

	memset(out, 0, count * sizeof(*out));
	site_lock();
	rc = called("prepare", (int64_t)count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct volume *v =
		    volume_in(conn->host, asked[i].pool, asked[i].name);

		if (v != NULL && !asked[i].replace)
			rc = err_set(err, ERR_CONFLICT,
			    "there is a volume %s already", asked[i].name);
		if (v != NULL && is_used(conn->host, v->path))
			spoiled++;
		if (rc != 0)
			break;
		v = make_volume(conn->host, asked[i].pool, asked[i].name, 0);
		out[i].created = true;
		(void)snprintf(out[i].path, sizeof(out[i].path), "%s", v->path);
	}
	site_unlock();
	return rc;
}

int
site_remove(struct hv_conn *conn, const struct hv_volume *asked, size_t count,
    struct err *err)
{
	int rc;

	site_lock();
	rc = called("remove", (int64_t)count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct volume *v =
		    volume_in(conn->host, asked[i].pool, asked[i].name);

		if (v != NULL && is_used(conn->host, v->path))
			rc = err_set(err, ERR_CONFLICT,
			    "%s is a disk of a guest", v->path);
		else if (v != NULL)
			memset(v, 0, sizeof(*v));
	}
	site_unlock();
	return rc;
}

static char *
copy_text(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		abort();
	return c;
}

int
site_locate(struct hv_conn *conn, const char *path, char **pool, char **name,
    struct err *err)
{
	struct volume *v;
	int rc;

	site_lock();
	rc = called("locate", 0, err);
	v = volume_at(conn->host, path);
	if (rc == 0 && v == NULL)
		rc = err_set(err, ERR_NOT_FOUND, "no pool has %s", path);
	if (rc == 0) {
		*pool = copy_text(v->pool);
		*name = copy_text(v->name);
	}
	site_unlock();
	return rc;
}

int
site_has_file(
    struct hv_conn *conn, const char *path, bool *out, struct err *err)
{
	int rc;

	site_lock();
	rc = called("has-file", 0, err);
	*out = volume_at(conn->host, path) != NULL;
	site_unlock();
	return rc;
}

static bool
waits_inside(const struct hv_copy *how)
{
	bool held;

	site_lock();
	held = copies_held;
	site_unlock();
	return held && !__atomic_load_n(how->cancel, __ATOMIC_RELAXED);
}

/* Half of it at once, the rest when it is let go. */
int
site_copy(struct hv_conn *conn, const struct hv_copy *how,
    struct hv_copied *out, struct err *err)
{
	const struct timespec moment = {0, 1000000};
	struct volume *from, *to;
	int rc, to_host = site_host_of(how->to_uri);

	site_tell("copy", how->from_path);
	site_lock();
	copying++;
	rc = called("copy", __atomic_load_n(how->limit, __ATOMIC_RELAXED), err);
	spoiled += is_written(conn->host, how->from_path);
	site_unlock();
	__atomic_store_n(how->total, COPY_BYTES, __ATOMIC_RELAXED);
	__atomic_store_n(how->done, COPY_BYTES / 2, __ATOMIC_RELAXED);
	while (rc == 0 && waits_inside(how))
		(void)nanosleep(&moment, NULL);
	site_lock();
	copying--;
	calls[call_of("copy")].value =
	    __atomic_load_n(how->limit, __ATOMIC_RELAXED);
	from = volume_at(conn->host, how->from_path);
	to = volume_in(to_host, how->to_pool, how->to_name);
	spoiled += is_written(conn->host, how->from_path);
	if (rc == 0 && __atomic_load_n(how->cancel, __ATOMIC_RELAXED))
		rc = err_set(err, ERR_ABORTED, "the copy was cancelled");
	if (rc == 0 && from == NULL)
		rc = err_set(err, ERR_NOT_FOUND, "no %s", how->from_path);
	if (rc == 0 && to != NULL && !how->replace)
		rc = err_set(err, ERR_CONFLICT, "%s is there", how->to_name);
	if (rc == 0) {
		(void)make_volume(
		    to_host, how->to_pool, how->to_name, from->content);
		*out = (struct hv_copied){
		    .length = 2 * COPY_BYTES, .data = COPY_BYTES};
	}
	site_unlock();
	return rc;
}

/* ---- layers ---- */

int
site_freeze(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	int rc;

	site_lock();
	rc = called("freeze", (int64_t)count, err);
	if (rc == 0 && !is_on(g))
		rc = err_set(err, ERR_CONFLICT, "the guest is off");
	if (rc == 0 && count == 1 && strcmp(g->layer, layers[0].path) != 0) {
		(void)make_volume(
		    conn->host, "local", strrchr(layers[0].path, '/') + 1, 0);
		(void)snprintf(
		    g->layer, sizeof(g->layer), "%s", layers[0].path);
	}
	site_unlock();
	return rc;
}

int
site_merge(struct hv_conn *conn, const char *uuid,
    const struct hv_layer *layers, size_t count, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	struct volume *base, *layer;
	int rc;

	site_lock();
	rc = called("merge", (int64_t)count, err);
	base = volume_at(conn->host, g->disk);
	layer = volume_at(conn->host, g->layer);
	if (rc == 0 && layer != NULL && base != NULL) {
		spoiled += strcmp(layers[0].path, layer->path) != 0 ||
		    strcmp(layers[0].base, base->path) != 0;
		base->content += layer->content;
		memset(layer, 0, sizeof(*layer));
		g->layer[0] = '\0';
	}
	site_unlock();
	return rc;
}

/* ---- power ---- */

int
site_shutdown(struct hv_conn *conn, const char *uuid, enum hv_shutdown how,
    struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	int rc;

	site_tell("shutdown", uuid);
	site_lock();
	rc = called(
	    how == HV_SHUTDOWN_AGENT ? "shutdown-agent" : "shutdown-acpi", 0,
	    err);
	if (rc == 0 && is_on(g) && g->manners == SITE_OBEYS) {
		g->state = DOMAIN_SHUTOFF;
		g->reason = DOMAIN_REASON_SHUTDOWN;
	}
	site_unlock();
	return rc;
}

int
site_start(struct hv_conn *conn, const char *uuid, struct err *err)
{
	int n = site_number(uuid), rc;
	struct site_guest *g = &guests[conn->host][n];

	site_tell("start", uuid);
	site_lock();
	rc = called("start", conn->host + 1, err);
	if (rc == 0 && !g->present)
		rc = err_set(err, ERR_NOT_FOUND, "Domain not found");
	else if (rc == 0 && g->disk[0] != '\0' && content_of(conn->host, n) < 0)
		rc = err_set(err, ERR_REFUSED, "Could not open '%s'", g->disk);
	if (rc == 0) {
		g->state = DOMAIN_RUNNING;
		g->reason = DOMAIN_REASON_OTHER;
		for (int h = 0; h < SITE_HOSTS; h++)
			twice += h != conn->host && is_on(&guests[h][n]);
	}
	site_unlock();
	return rc;
}

/* ---- definitions: the site's own words instead of XML ---- */

char *
site_export(struct hv_conn *conn, const char *uuid,
    const struct domxml_edit *edits, size_t count, struct err *err)
{
	struct site_guest g;
	char *text = NULL;
	int rc;

	site_lock();
	rc = called("export", 0, err);
	g = guests[conn->host][site_number(uuid)];
	site_unlock();
	if (rc == 0 && !g.present)
		rc = err_set(err, ERR_NOT_FOUND, "Domain not found");
	if (rc != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (edits[i].path == NULL)
			continue;
		g.layer[0] = '\0';
		if (edits[i].backing != NULL) {
			(void)snprintf(
			    g.layer, sizeof(g.layer), "%s", edits[i].path);
			(void)snprintf(
			    g.disk, sizeof(g.disk), "%s", edits[i].backing);
		} else {
			(void)snprintf(
			    g.disk, sizeof(g.disk), "%s", edits[i].path);
		}
	}
	if (asprintf(&text, "%s %s %s %s", g.uuid, g.name,
		g.disk[0] != '\0' ? g.disk : "-",
		g.layer[0] != '\0' ? g.layer : "-") < 0)
		abort();
	return text;
}

int
site_define(struct hv_conn *conn, const char *xml, struct err *err)
{
	struct site_guest new = {.present = true,
	    .defined = true,
	    .state = DOMAIN_SHUTOFF,
	    .memory = (int64_t)1 << 30,
	    .bridge = "br0"};
	struct site_guest *g;
	int rc;

	if (sscanf(xml, "%36s %31s %127s %127s", new.uuid, new.name, new.disk,
		new.layer) != 4)
		return err_set(err, ERR_INVALID, "no definition: %s", xml);
	if (strcmp(new.disk, "-") == 0)
		new.disk[0] = '\0';
	if (strcmp(new.layer, "-") == 0)
		new.layer[0] = '\0';
	site_lock();
	rc = called("define", 0, err);
	g = &guests[conn->host][site_number(new.uuid)];
	if (rc == 0)
		*g = new;
	site_unlock();
	return rc;
}

int
site_carry(
    struct hv_conn *conn, const char *uuid, const char *to_uri, struct err *err)
{
	struct site_guest *g = &guests[conn->host][site_number(uuid)];
	int rc;

	site_lock();
	rc = called("carry", site_host_of(to_uri) + 1, err);
	spoiled += is_on(g);
	site_unlock();
	return rc;
}

int
site_forget(struct hv_conn *conn, const char *uuid, const char *other_uri,
    struct err *err)
{
	(void)uuid;
	(void)other_uri;
	return count_call("forget", conn->host + 1, err);
}
