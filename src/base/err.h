#ifndef DROVER_BASE_ERR_H
#define DROVER_BASE_ERR_H

#include <stddef.h>

/*
 * Errors are values.  A function that can fail takes a `struct err *` as its
 * last parameter (NULL allowed: the caller does not care), returns -1 or NULL,
 * and leaves its output parameters alone.  The message is for a person: what
 * went wrong and, where known, what to do.  Each level prefixes outward:
 * "kvm2: migrate web1: ...".
 */

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID, /* the caller's or the user's input is wrong */
	ERR_NOT_FOUND,
	ERR_CONFLICT,    /* it exists, or its state forbids it */
	ERR_LIMIT,       /* a stated maximum was reached */
	ERR_IO,          /* files, sockets, database */
	ERR_UNREACHABLE, /* a host does not answer or was lost */
	ERR_TIMEOUT,
	ERR_ABORTED,  /* on request */
	ERR_REFUSED,  /* the hypervisor said no */
	ERR_INTERNAL, /* a bug of ours */
};

struct err {
	enum err_code code;
	char msg[768]; /* UTF-8, no newline, cut on a border */
};

/* Sets *err (if not NULL) and returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message; keeps the code; returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A short word for programs: "invalid", "not-found", ... */
const char *err_code_name(enum err_code code);

/*
 * Copies `text` as one line of valid UTF-8 that fits `size` bytes with its
 * NUL, cut on a border: what is not UTF-8 becomes '?', control characters
 * become spaces, spaces at the end go.  Returns the length.  The texts of
 * hypervisors pass through here before they reach JSON or a log.
 */
size_t err_copy_line(char *out, size_t size, const char *text);

#endif
