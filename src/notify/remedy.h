#ifndef DROVER_NOTIFY_REMEDY_H
#define DROVER_NOTIFY_REMEDY_H

/*
 * What to do about a receiver that did not accept an event: code of HTTP, or 0
 * and the error (NULL: not known).  Pure; a constant text, NULL for 2xx.
 */
const char *remedy_of(int code, const char *error);

#endif
