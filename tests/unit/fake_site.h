#ifndef DROVER_TESTS_FAKE_SITE_H
#define DROVER_TESTS_FAKE_SITE_H

#include "hv/hv.h"

/*
 * A site of hosts in memory, kvm1 to kvm4, behind the door to the hypervisor.
 * Each remembers its guests; a migration goes as the target's mood says.  All
 * functions may be called from any thread.
 *
 * A host is found by its URI, which must contain "//kvmN.".
 */

#define SITE_HOSTS 4
#define SITE_GUESTS 16

enum site_mood {
	SITE_TAKES,      /* at once */
	SITE_REFUSES,    /* the guest stays, with an error */
	SITE_FAILS_LATE, /* ... and the target keeps a definition */
	SITE_HANGS,      /* until aborted or let go */
};

struct site_guest {
	char uuid[HV_UUID_SIZE], name[32];
	bool present, defined, autostart, job;
	enum domain_state state;
	enum domain_reason reason;
	int64_t memory; /* bytes */
	const char *bridge;
};

extern const struct hv_ops site_ops;

void site_reset(void);
/* UUID number `n` (see site_uuid), named "vmN", running, defined; 1 GiB. */
void site_add_guest(int host, int n);
const char *site_uuid(int n);
void site_set_mood(int host, enum site_mood mood, const char *error);
void site_set_bridge(int n, const char *bridge);
void site_set_autostart(int n);
/* A copy of what the host (from 1) has of guest n. */
struct site_guest site_look(int host, int n);
int site_running_at(int host); /* how many run there */
int site_twice(void);          /* how often a guest ran on two hosts */
int site_migrations(void);     /* calls so far */
int site_hanging(void);        /* in this moment */
/* The calls that hang return with a broken connection, while the migrations go on
 * until site_finish(). */
void site_detach(void);
/* Those that go on without a call of ours arrive, or have failed. */
void site_finish(bool arrives);
/* Called in each migration, and before each resume, before anything happens. */
void site_watch(void (*fn)(const char *what, const char *uuid));
int site_downtime_ms(void); /* what last_job will tell */

#endif
