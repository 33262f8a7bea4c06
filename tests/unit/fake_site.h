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

enum site_manners { SITE_OBEYS, SITE_IGNORES, SITE_REBOOTS };

struct site_guest {
	char uuid[HV_UUID_SIZE], name[32];
	bool present, defined, autostart, job;
	/* With a disk of its host's own: the image, and the layer over it. */
	char disk[128], layer[128];
	enum site_manners manners; /* when asked to shut down */
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
struct site_asked {            /* of the last migration */
	int64_t bandwidth, max_downtime_ms;
	bool paused, auto_converge, postcopy, incremental, unsafe_ok;
	size_t copies, edits;
};
struct site_asked site_asked(void);
/* The calls that hang return with a broken connection, while the migrations go on
 * until site_finish(). */
void site_detach(void);
/* Those that go on without a call of ours arrive, or have failed. */
void site_finish(bool arrives);
/* Called in each migration, and before each resume, before anything happens. */
void site_watch(void (*fn)(const char *what, const char *uuid));
int site_downtime_ms(void); /* what last_job will tell */
/* What `job` tells of every migration that hangs. */
void site_set_job(const struct hv_job *job);

/* ---- disks; fake_site_disks.c ---- */

/* A volume has a number for its content, 0 when it is empty; the content of a
 * disk is that of its image and of the layer over it together. */
void site_add_volume(int host, const char *pool, const char *name, int content);
/* Its path is /POOL/NAME. */
bool site_has_volume(int host, const char *pool, const char *name);
int site_volumes(int host); /* how many */
/* Guest n gets a disk of its own in pool "local": NAME.qcow2, with content. */
void site_give_disk(int host, int n, int content);
/* It is shut off. */
void site_set_off(int n);
/* The other host sees the images that the first has, as one storage. */
void site_share_disk(int host, int other);
void site_set_manners(int n, enum site_manners manners);
int site_content(int host, int n); /* of its disk; -1: an image is missing */
void site_write(int host, int n);  /* the guest adds 1 to it */
/* Copies wait inside until let go (or cancelled); how many do. */
void site_hold_copies(bool hold);
int site_copying(void);
/* Calls of one kind, so far: "shutdown-agent", "suspend", "forget", ... */
int site_calls(const char *what);
/* The next call of that kind fails. */
void site_fail(const char *what, enum err_code code, const char *message);
/* An image was read while its guest could write to it, and the like. */
int site_spoiled(void);
int64_t site_last_value(const char *what); /* "set-bandwidth", ... */

#endif
