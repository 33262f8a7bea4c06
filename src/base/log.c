/*
 * One line per fact on stderr.
 *
 * A line is built aside and leaves in a single write(), so that lines of
 * several threads do not mix and no lock is held while the reader of stderr
 * is slow to read.  Text from outside cannot start a line of its own: control
 * characters become spaces (err_copy_line).
 *
 * JOURNAL_STREAM alone does not say that stderr is the journal, since shells
 * that were started by a service manager pass it on.  It holds the device and
 * inode of the stream, and those are compared with stderr (systemd.exec(5)).
 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define LOG_TEXT_SIZE 2048
#define LOG_LINE_SIZE (LOG_TEXT_SIZE + 128) /* below PIPE_BUF: one piece */

static _Atomic int log_level = LOG_LEVEL_INFO;
static pthread_once_t log_once = PTHREAD_ONCE_INIT;
static bool log_to_journal;

void
log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load(&log_level);
}

static void
log_probe(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (stream == NULL || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 ||
	    fstat(STDERR_FILENO, &st) < 0)
		return;
	log_to_journal = (unsigned long long)st.st_dev == dev &&
	    (unsigned long long)st.st_ino == ino;
}

static const char *
log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_DEBUG:
		return "debug";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_ERROR:
		return "error";
	}
	return "?";
}

/* syslog(3) priorities, as sd-daemon(3) writes them. */
static int
log_priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_DEBUG:
		return 7;
	case LOG_LEVEL_INFO:
		return 6;
	case LOG_LEVEL_WARN:
		return 4;
	case LOG_LEVEL_ERROR:
		return 3;
	}
	return 5;
}

static void
log_write(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= (size_t)n;
	}
}

static void log_line(enum log_level level, const char *token, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
log_line(enum log_level level, const char *token, const char *fmt, va_list ap)
{
	char text[LOG_TEXT_SIZE], clean[LOG_TEXT_SIZE - 4];
	char line[LOG_LINE_SIZE], when[CLOCK_RFC3339_SIZE];
	int saved = errno, n;

	if (level < log_get_level())
		return;
	(void)pthread_once(&log_once, log_probe);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	(void)err_copy_line(clean, sizeof(clean), text);
	if (log_to_journal) {
		n = snprintf(line, sizeof(line), "<%d>%.32s: %s\n",
		    log_priority(level), token, clean);
	} else {
		wall_format(clock_wall_now(), when);
		n = snprintf(line, sizeof(line), "%s %-5s %.32s: %s\n", when,
		    log_level_name(level), token, clean);
	}
	if (n > 0 && (size_t)n < sizeof(line))
		log_write(line, (size_t)n);
	errno = saved;
}

void
log_debug(const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_DEBUG, token, fmt, ap);
	va_end(ap);
}

void
log_info(const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_INFO, token, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_WARN, token, fmt, ap);
	va_end(ap);
}

void
log_error(const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, token, fmt, ap);
	va_end(ap);
}
