#ifndef DROVER_CONFIG_RECEIVER_H
#define DROVER_CONFIG_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One entry of `receivers:`: who is told of what, in which shape, and how it is
 * brought there.  Pure.  Secrets are not in here, only the files that hold
 * them; `url` of a chat service is one all the same, and is never shown.
 *
 * What a key is when it is not given depends on the kind: see receiver_kinds.
 */

enum receiver_kind {
	RECEIVER_CLOUDEVENTS,
	RECEIVER_SLACK,
	RECEIVER_MATTERMOST,
	RECEIVER_DISCORD,
	RECEIVER_TEAMS,
	RECEIVER_GOOGLECHAT,
	RECEIVER_NTFY,
	RECEIVER_GOTIFY,
	RECEIVER_ALERTMANAGER,
	RECEIVER_PAGERDUTY,
	RECEIVER_CUSTOM,
	RECEIVER_KIND_COUNT
};

/* CloudEvents' content modes. */
enum receiver_mode { RECEIVER_STRUCTURED, RECEIVER_BINARY, RECEIVER_BATCHED };

enum receiver_signature {
	RECEIVER_SIGN_STANDARD, /* Standard Webhooks */
	RECEIVER_SIGN_GITHUB,   /* X-Hub-Signature-256: sha256=HEX */
};

enum receiver_severity { RECEIVER_INFO, RECEIVER_WARNING, RECEIVER_ERROR };

enum receiver_group { /* flags */
	RECEIVER_GROUP_DRAIN = 1 << 0,
	RECEIVER_GROUP_HOST = 1 << 1,
	RECEIVER_GROUP_POLICY = 1 << 2,
	RECEIVER_GROUP_TYPE = 1 << 3,
	RECEIVER_GROUP_NONE = 1 << 4, /* alone: not at all */
};

/* Which events give way when a receiver's queue is full. */
enum receiver_full { RECEIVER_FULL_OLDEST, RECEIVER_FULL_NEWEST };

struct receiver_header {
	const char *key, *value;
};

struct settings_receiver {
	const char *name;
	const char *type; /* the name of `kind` */
	enum receiver_kind kind;

	/* ---- what ---- */
	const char *const *events; /* globs on "move.completed" (the type
				      * without "drover."); default "*" */
	size_t event_count;
	const char *const *policies; /* globs on the policy's name; none: all
				      * events, also those of no policy */
	size_t policy_count;
	enum receiver_severity severity; /* the least; default info */
	unsigned group_by;     /* RECEIVER_GROUP_*; 0: not given, see kinds */
	int64_t group_wait_ms; /* default 30 s; 0 to 10 min */

	/* ---- in which shape ---- */
	enum receiver_mode mode;
	int batch; /* events of one batched request; default 100 */
	enum receiver_signature signature;
	const char *template;      /* custom: the text; NULL */
	const char *template_file; /* custom: or the file that has it; NULL */
	const char *content_type;  /* custom; default application/json */
	const char *method;        /* custom: POST or PUT; default POST */

	/* ---- where ---- */
	const char *url;         /* http or https; NULL: */
	const char *url_file;    /* ... the file that holds it */
	const char *unix_socket; /* NULL: by TCP */
	const char *secret_file; /* signing; NULL: not signed.  Its second
				   * line, if any, is a second secret */
	const char *token_file;  /* bearer token, routing key; NULL: none */
	const char *proxy;       /* http, https, socks5 URL; NULL: none */
	const char *ca_file, *cert_file, *key_file; /* PEM; NULL */
	const char *server_name; /* the certificate's; NULL: the URL's host */
	const struct receiver_header *headers;
	size_t header_count;

	/* ---- how insistently ---- */
	int64_t timeout_ms;         /* of one attempt; default 10 s */
	int64_t connect_timeout_ms; /* of it; default 5 s */
	int64_t max_age_ms;         /* then it is a dead letter */
	bool strict;                /* ordering: strict; default any */
	int rate;                   /* requests per rate_ms; 0: no limit */
	int64_t rate_ms;
	int queue; /* pending events; default 50000 */
	enum receiver_full queue_full;
	int64_t resend_ms; /* alertmanager: what is on is told again */

	const char *file;
	unsigned line;
};

/* What is true of each kind, and the defaults of its keys. */
struct receiver_kind_info {
	const char *name;   /* "slack" */
	size_t body_max;    /* bytes that it takes */
	int rate;           /* default of `rate` ... */
	int64_t rate_ms;    /* ... per this long; 0: no limit */
	int64_t max_age_ms; /* default */
	unsigned group_by;  /* default */
	bool secret_url;    /* the URL alone lets one in: chats */
	bool token;         /* token_file is required */
	bool takes_token;   /* token_file is of use */
	bool signs;         /* secret_file is of use */
};
extern const struct receiver_kind_info receiver_kinds[RECEIVER_KIND_COUNT];
int receiver_find_kind(const char *name); /* -1: there is none */

/* What stands before the name of a file of systemd's credentials. */
#define RECEIVER_CREDENTIAL "credential:"

/* An event as receivers choose among them. */
struct receiver_event {
	const char *type; /* with or without "drover." */
	enum receiver_severity severity;
	const char *policy; /* NULL: of none */
	const char *host;   /* NULL: of none */
	int64_t drain;      /* the drain that a move belongs to; 0 */
};

/* The one type that "*" in events does not mean; "condition.*" does. */
#define RECEIVER_QUIET_TYPE "condition.ended"

/* By its events, policies and severity; and whether group_by leaves it to the
 * summary of its drain (moves that did not fail, if that summary is wanted). */
bool receiver_wants(const struct settings_receiver *receiver,
    const struct receiver_event *event);
/* The key of the group that it is collected in, "" when it goes alone (no such
 * group_by, group_wait 0, or an error, which comes at once). */
#define RECEIVER_GROUP_SIZE 256
void receiver_group_key(const struct settings_receiver *receiver,
    const struct receiver_event *event, char out[RECEIVER_GROUP_SIZE]);

const char *receiver_severity_name(enum receiver_severity severity);

#endif
