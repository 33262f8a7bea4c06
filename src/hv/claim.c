/*
 * A mark at a host that every daemon with access to it can see, kept where
 * nothing needs to be installed: in libvirt's list of secrets.
 *
 * One UUID is Drover's.  libvirt refuses to define a secret of this UUID for
 * another use than it has, and its use is the owner's name: so defining it is
 * the test and the taking in one, decided by the host.  Its value is the beat.
 * It is not private, since others must read it, and ephemeral: it is never
 * written to the host's disk and ends with its daemon.  `virsh secret-list`
 * shows it to people.
 *
 * Replacing a dead mark is a removal and a taking, between which somebody else
 * may do the same.  Who takes over must therefore look again later, which is
 * the caller's to do.
 */
#include "hv/claim.h"

#include <inttypes.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/conn.h"

#define CLAIM_UUID "f1db5b71-14aa-4475-b3c2-41789cab7660"
#define CLAIM_PREFIX "drover:"
#define CLAIM_TRIES 3
#define CLAIM_VALUE_SIZE (sizeof(((struct hv_mark *)NULL)->owner) + 32)

static void
claim_secret_free(virSecretPtr *secret)
{
	if (*secret != NULL)
		(void)virSecretFree(*secret);
}

static int
claim_owner_ok(const char *owner, struct err *err)
{
	if (owner[0] == '\0' || strpbrk(owner, "<>&'\"") != NULL)
		return err_set(
		    err, ERR_INVALID, "no name for an owner: %s", owner);
	return 0;
}

static virSecretPtr
claim_define(struct hv_conn *conn, const char *owner)
{
	char xml[1024];

	(void)snprintf(xml, sizeof(xml),
	    "<secret ephemeral='yes' private='no'>"
	    "<uuid>" CLAIM_UUID "</uuid>"
	    "<description>Who moves the guests of this host</description>"
	    "<usage type='tls'><name>" CLAIM_PREFIX "%s</name></usage>"
	    "</secret>",
	    owner);
	return virSecretDefineXML(conn->vir, xml, 0);
}

/* The value has the owner too: use and value are read one after the other,
 * and must belong together. */
static void
claim_value(const struct hv_mark *mark, char out[CLAIM_VALUE_SIZE])
{
	(void)snprintf(
	    out, CLAIM_VALUE_SIZE, "%" PRId64 " %s", mark->beat, mark->owner);
}

static int64_t
claim_beat(virSecretPtr secret, const char *owner)
{
	size_t size;
	unsigned char *value = virSecretGetValue(secret, &size, 0);
	char text[CLAIM_VALUE_SIZE], *end;
	int64_t beat = FACTS_UNKNOWN;

	if (value != NULL && size < sizeof(text)) {
		memcpy(text, value, size);
		text[size] = '\0';
		beat = strtoll(text, &end, 10);
		if (end == text || *end != ' ' || strcmp(end + 1, owner) != 0)
			beat = FACTS_UNKNOWN;
	}
	free(value);
	return beat;
}

/* ERR_NOT_FOUND when there is none. */
static int
claim_read(struct hv_conn *conn, struct hv_mark *out, virSecretPtr *at,
    struct err *err)
{
	const char *use;

	*at = virSecretLookupByUUIDString(conn->vir, CLAIM_UUID);
	if (*at == NULL)
		return conn_fail(conn, err);
	use = virSecretGetUsageID(*at);
	if (use == NULL)
		return conn_fail(conn, err);
	if (strncmp(use, CLAIM_PREFIX, strlen(CLAIM_PREFIX)) == 0)
		use += strlen(CLAIM_PREFIX);
	(void)err_copy_line(out->owner, sizeof(out->owner), use);
	out->beat = claim_beat(*at, out->owner);
	return 0;
}

static bool
claim_is(const struct hv_mark *mark, const struct hv_mark *other)
{
	return other != NULL && strcmp(mark->owner, other->owner) == 0 &&
	    mark->beat == other->beat;
}

static int
claim_conflict(
    const struct hv_mark *found, struct hv_mark *held, struct err *err)
{
	*held = *found;
	return err_set(err, ERR_CONFLICT, "%s acts on this host", found->owner);
}

/* Ours by its use: renewed, and looked at once more. */
static int
claim_renew(struct hv_conn *conn, virSecretPtr secret,
    const struct hv_mark *mark, struct hv_mark *held, struct err *err)
{
	cleanup(claim_secret_free) virSecretPtr again = NULL;
	char value[CLAIM_VALUE_SIZE];
	struct hv_mark found;

	claim_value(mark, value);
	if (virSecretSetValue(
		secret, (const unsigned char *)value, strlen(value), 0) < 0)
		return conn_fail(conn, err);
	if (claim_read(conn, &found, &again, err) < 0)
		return -1;
	return strcmp(found.owner, mark->owner) == 0
	    ? 0
	    : claim_conflict(&found, held, err);
}

int
claim_take(struct hv_conn *conn, const struct hv_mark *mark,
    const struct hv_mark *dead, struct hv_mark *held, struct err *err)
{
	CONN_HOLD(conn);

	if (claim_owner_ok(mark->owner, err) < 0)
		return -1;
	for (int tries = 0; tries < CLAIM_TRIES; tries++) {
		cleanup(claim_secret_free) virSecretPtr secret = NULL;
		cleanup(claim_secret_free) virSecretPtr other = NULL;
		struct hv_mark found;
		struct err why = {0};

		secret = claim_define(conn, mark->owner);
		if (secret != NULL)
			return claim_renew(conn, secret, mark, held, err);
		(void)conn_fail(conn, err);
		if (claim_read(conn, &found, &other, &why) < 0) {
			if (why.code != ERR_NOT_FOUND)
				return -1;
			continue; /* it has gone meanwhile */
		}
		if (strcmp(found.owner, mark->owner) == 0)
			return -1; /* not for its use was it refused */
		if (!claim_is(&found, dead))
			return claim_conflict(&found, held, err);
		if (virSecretUndefine(other) < 0)
			(void)conn_fail(conn, err);
	}
	return -1;
}

int
claim_drop(struct hv_conn *conn, const char *owner, struct err *err)
{
	CONN_HOLD(conn);
	cleanup(claim_secret_free) virSecretPtr secret = NULL;
	struct hv_mark found;
	struct err why = {0};

	if (claim_read(conn, &found, &secret, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		return err_set(err, why.code, "%s", why.msg);
	}
	if (strcmp(found.owner, owner) != 0)
		return 0;
	return virSecretUndefine(secret) == 0 ? 0 : conn_fail(conn, err);
}
