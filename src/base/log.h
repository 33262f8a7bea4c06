#ifndef DROVER_BASE_LOG_H
#define DROVER_BASE_LOG_H

/*
 * One line per fact on stderr: time, level, token, text.  The token names the
 * part ("link", "move", "notify") and is what an operator filters on.  Any
 * thread may call.  Not part of libcore: the pure core never logs.
 *
 * Under a service manager (JOURNAL_STREAM set) lines carry the <N> priority
 * prefix instead of the time.
 */

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_debug(const char *token, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *token, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *token, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_error(const char *token, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
