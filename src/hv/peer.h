#ifndef DROVER_HV_PEER_H
#define DROVER_HV_PEER_H

#include "hv/conn.h"

/*
 * A connection of its own for a call that needs one more host than the one it
 * was made at, or one to itself.  Any worker thread.
 */

/* Like hv_libvirt.open, but comes back within PEER_OPEN_MS: ERR_UNREACHABLE
 * when the host has not answered by then. */
#define PEER_OPEN_MS 20000
struct hv_conn *peer_open(const char *uri, struct err *err);

/* For cleanup(); NULL allowed. */
void peer_close(struct hv_conn **conn);

#endif
