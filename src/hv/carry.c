/*
 * What a guest has outside of its disks and its definition.
 *
 * The variables of its firmware are a file that the definition names; the state
 * of its TPM is a directory named after its UUID.  Both have the same path at
 * the target, where libvirt finds them when the guest starts, and would begin
 * with empty ones if it found none: a guest whose disk key is sealed in its TPM
 * would not boot again.  So whatever can't be carried is refused, by name.
 *
 * Such directories may be on shared storage.  What both hosts see is neither
 * copied nor ever removed.
 */
#include "hv/carry.h"

#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "hv/peer.h"
#include "hv/secrets.h"
#include "hv/statedir.h"
#include "hv/volume.h"
#include "model/xmlnode.h"

#define CARRY_TPM_DIR "/var/lib/libvirt/swtpm"
#define CARRY_ITEMS_MAX 8
#define CARRY_ARENA_MAX (128 << 20)

struct item {
	const char *dir;
	const char *file; /* NULL: all that is in it, and it itself */
};

struct load {
	struct item items[CARRY_ITEMS_MAX];
	size_t count;
};

/* ---- what there is ---- */

static int
carry_add_file(
    struct load *load, struct arena *arena, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path || slash[1] == '\0')
		return err_set(err, ERR_REFUSED,
		    "%s is no file that can be carried", path);
	if (load->count == CARRY_ITEMS_MAX)
		return err_set(err, ERR_LIMIT, "too many files to carry");
	load->items[load->count++] = (struct item){
	    .dir = arena_strndup(arena, path, (size_t)(slash - path)),
	    .file = arena_strdup(arena, slash + 1),
	};
	return 0;
}

/* <nvram>PATH</nvram>, or with a <source> where it is something else. */
static int
carry_add_nvram(
    struct load *load, struct arena *arena, const xmlNode *os, struct err *err)
{
	const xmlNode *nvram = xmlnode_child(os, "nvram");
	const char *type = xmlnode_attr(arena, nvram, "type");
	const char *path = xmlnode_text(arena, nvram);

	if (nvram == NULL)
		return 0;
	if (type != NULL && strcmp(type, "network") == 0)
		return 0; /* the target gets it from the same server */
	if (type != NULL && strcmp(type, "file") != 0)
		return err_set(err, ERR_REFUSED,
		    "the firmware's variables are on a %s, which is not "
		    "carried",
		    type);
	if (type != NULL)
		path = xmlnode_child_attr(arena, nvram, "source", "file");
	/* Without a path the guest has never been started. */
	return path != NULL ? carry_add_file(load, arena, path, err) : 0;
}

static int
carry_add_tpm(struct load *load, struct arena *arena, const xmlNode *tpm,
    const char *uuid, struct err *err)
{
	const xmlNode *backend = xmlnode_child(tpm, "backend");
	const xmlNode *source = xmlnode_child(backend, "source");
	const char *path = xmlnode_attr(arena, source, "path");

	if (!xmlnode_attr_is(backend, "type", "emulator"))
		return err_set(err, ERR_REFUSED,
		    "the state of a TPM that libvirt does not emulate itself "
		    "can't be carried");
	if (path != NULL && xmlnode_attr_is(source, "type", "file"))
		return carry_add_file(load, arena, path, err);
	if (source != NULL && path == NULL)
		return err_set(err, ERR_REFUSED,
		    "where the TPM keeps its state is not known");
	if (load->count == CARRY_ITEMS_MAX)
		return err_set(err, ERR_LIMIT, "too many files to carry");
	if (path == NULL)
		path = arena_printf(arena, "%s/%s/%s", CARRY_TPM_DIR, uuid,
		    xmlnode_attr_is(backend, "version", "1.2") ? "tpm1.2"
							       : "tpm2");
	load->items[load->count++] = (struct item){.dir = path};
	return 0;
}

static int
carry_load(struct load *load, struct arena *arena, const xmlNode *root,
    const char *uuid, struct err *err)
{
	const xmlNode *os = xmlnode_child(root, "os");
	const xmlNode *devices = xmlnode_child(root, "devices");
	const xmlNode *pstore = xmlnode_child(devices, "pstore");
	const char *path;

	if (carry_add_nvram(load, arena, os, err) < 0)
		return -1;
	path = xmlnode_child_attr(arena, os, "varstore", "path");
	if (path != NULL && carry_add_file(load, arena, path, err) < 0)
		return -1;
	path = xmlnode_child_text(arena, pstore, "path");
	if (path != NULL && carry_add_file(load, arena, path, err) < 0)
		return -1;
	for (const xmlNode *tpm = xmlnode_child(devices, "tpm"); tpm != NULL;
	     tpm = xmlnode_next(tpm)) {
		if (carry_add_tpm(load, arena, tpm, uuid, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- carrying ---- */

/* swtpm's lock is of the process that held it. */
static bool
carry_is_state(const struct statefile *file)
{
	return strcmp(file->name, ".lock") != 0;
}

static int
carry_item(const struct hv_conn *from, const struct hv_conn *to,
    struct arena *arena, const struct item *item, struct err *err)
{
	cleanup(statedir_close) struct statedir source = {0}, target = {0};
	struct statefile *files;
	struct err why = {0};
	size_t count;
	bool shared;

	if (statedir_open(from, item->dir, false, &source, &why) < 0)
		return why.code == ERR_NOT_FOUND
		    ? 0
		    : err_set(err, why.code, "%s", why.msg);
	if (statedir_read(
		from, &source, item->file, arena, &files, &count, err) < 0)
		return -1;
	if (count == 0)
		return 0;
	if (statedir_open(to, item->dir, true, &target, err) < 0 ||
	    statedir_is_shared(from, &source, to, &target, &shared, err) < 0)
		return err_prefix(err, "at the target");
	for (size_t i = 0; !shared && i < count; i++) {
		if (carry_is_state(&files[i]) &&
		    statedir_write(to, &target, &files[i], err) < 0)
			return err_prefix(err, "at the target");
	}
	return 0;
}

static int
carry_refuse_active(
    const struct hv_conn *conn, const char *uuid, struct err *err)
{
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	struct err why = {0};
	int active;

	domain = conn_domain(conn, uuid, &why);
	if (domain == NULL)
		return why.code == ERR_NOT_FOUND
		    ? 0
		    : err_set(err, why.code, "%s", why.msg);
	active = virDomainIsActive(domain);
	if (active < 0)
		return conn_fail(conn, err);
	if (active == 1)
		return err_set(err, ERR_CONFLICT, "the domain is active");
	return 0;
}

static xmlDoc *
carry_definition(const struct hv_conn *conn, const char *uuid, struct err *err)
{
	cleanup(conn_domain_free) virDomainPtr domain = NULL;
	cleanup_free char *xml = NULL;

	domain = conn_domain(conn, uuid, err);
	if (domain == NULL)
		return NULL;
	xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	if (xml == NULL) {
		(void)conn_fail(conn, err);
		return NULL;
	}
	return xmlnode_read(xml, "domain", err);
}

int
carry_guest(
    struct hv_conn *conn, const char *uuid, const char *to_uri, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(CARRY_ARENA_MAX);
	cleanup(peer_close) struct hv_conn *to = NULL;
	cleanup_xmldoc xmlDoc *doc = NULL;
	struct load load = {0};
	const xmlNode *root;

	if (carry_refuse_active(conn, uuid, err) < 0)
		return -1;
	doc = carry_definition(conn, uuid, err);
	if (doc == NULL)
		return -1;
	root = xmlDocGetRootElement(doc);
	if (carry_load(&load, arena, root, uuid, err) < 0)
		return -1;
	if (load.count == 0 && !secrets_has_any(root))
		return 0;
	to = peer_open(to_uri, err);
	if (to == NULL)
		return -1;
	if (carry_refuse_active(to, uuid, err) < 0)
		return err_prefix(err, "at the target");
	if (secrets_carry(conn, to, root, err) < 0)
		return -1;
	for (size_t i = 0; i < load.count; i++) {
		if (carry_item(conn, to, arena, &load.items[i], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- forgetting ---- */

/* The directory itself, if it is empty; what is in the way stays. */
static int
carry_forget_dir(const struct hv_conn *conn, struct arena *arena,
    const char *path, struct err *err)
{
	cleanup(statedir_close) struct statedir dir = {0};
	const char *slash = strrchr(path, '/');
	const char *parent = arena_strndup(arena, path, (size_t)(slash - path));

	if (statedir_open(conn, parent, false, &dir, err) < 0)
		return -1;
	return statedir_remove(conn, &dir, slash + 1, err);
}

/* <swtpm>/UUID/tpm2 with what is above it, up to the directory of all. */
static int
carry_forget_dirs(const struct hv_conn *conn, struct arena *arena,
    const char *path, struct err *err)
{
	size_t len = strlen(CARRY_TPM_DIR "/");

	while (strncmp(path, CARRY_TPM_DIR "/", len) == 0) {
		if (carry_forget_dir(conn, arena, path, err) < 0)
			return -1;
		path = arena_strndup(
		    arena, path, (size_t)(strrchr(path, '/') - path));
	}
	return 0;
}

static int
carry_forget_files(const struct hv_conn *conn, const struct hv_conn *other,
    struct arena *arena, const struct item *item, bool *gone, struct err *err)
{
	cleanup(statedir_close) struct statedir here = {0}, there = {0};
	struct statefile *files;
	struct err why = {0};
	bool shared = false;
	size_t count;

	*gone = false;
	if (statedir_open(conn, item->dir, false, &here, &why) < 0)
		return why.code == ERR_NOT_FOUND
		    ? 0
		    : err_set(err, why.code, "%s", why.msg);
	if (statedir_open(other, item->dir, false, &there, &why) == 0) {
		if (statedir_is_shared(
			conn, &here, other, &there, &shared, err) < 0)
			return -1;
	} else if (why.code != ERR_NOT_FOUND) {
		return err_set(err, why.code, "%s", why.msg);
	}
	if (shared)
		return 0;
	if (statedir_read(conn, &here, item->file, arena, &files, &count, err) <
	    0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (statedir_remove(conn, &here, files[i].name, err) < 0)
			return -1;
	}
	*gone = true;
	return 0;
}

int
carry_forget(struct hv_conn *conn, const char *uuid, const char *other_uri,
    struct err *err)
{
	CONN_HOLD(conn);
	cleanup(volume_arena_free) struct arena *arena =
	    arena_new(CARRY_ARENA_MAX);
	cleanup(peer_close) struct hv_conn *other = NULL;
	cleanup_xmldoc xmlDoc *doc = NULL;
	struct load load = {0};

	if (carry_refuse_active(conn, uuid, err) < 0)
		return -1;
	other = peer_open(other_uri, err);
	if (other == NULL)
		return -1;
	doc = carry_definition(other, uuid, err);
	if (doc == NULL)
		return err_prefix(err, "at the other host");
	if (carry_load(&load, arena, xmlDocGetRootElement(doc), uuid, err) < 0)
		return -1;
	for (size_t i = 0; i < load.count; i++) {
		const struct item *item = &load.items[i];
		bool gone;

		if (carry_forget_files(conn, other, arena, item, &gone, err) <
		    0)
			return -1;
		if (gone && item->file == NULL &&
		    carry_forget_dirs(conn, arena, item->dir, err) < 0)
			return -1;
	}
	return 0;
}
