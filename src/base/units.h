#ifndef DROVER_BASE_UNITS_H
#define DROVER_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What people write and read: 2GiB, 500MB, 10s, 1h30m, 80%.  Parsing is exact
 * and complete: no rest, no sign, no overflow; the error says what is allowed.
 *
 * bytes      B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (of 1024), or a
 *            bare number of bytes; fractions allowed (1.5GiB)
 * rate       bytes with "/s" (100MiB/s); bare number = bytes per second
 * duration   ms s m h d, also combined (1h30m); a bare number is an error
 *            except 0
 * percent    0% to 100%, as a fraction 0.0 to 1.0
 */
int units_parse_bytes(const char *s, int64_t *out_bytes, struct err *err);
int units_parse_rate(const char *s, int64_t *out_bytes_per_s, struct err *err);
int units_parse_duration(const char *s, int64_t *out_ms, struct err *err);
int units_parse_percent(const char *s, double *out_fraction, struct err *err);

/* "1.5 GiB", "812 B"; "320 ms", "4.2 s", "2 m 05 s", "3 h 10 m". */
#define UNITS_TEXT_SIZE 32
void units_format_bytes(int64_t bytes, char out[UNITS_TEXT_SIZE]);
void units_format_duration(int64_t ms, char out[UNITS_TEXT_SIZE]);

#endif
