#ifndef DROVER_MODEL_VIEW_H
#define DROVER_MODEL_VIEW_H

#include <jansson.h>

#include "model/snapshot.h"

/*
 * Hosts and guests as JSON, the contract of `-o json` and of the HTTP API.
 * Unknown: the key is absent.  Bytes, cores and milliseconds as numbers.
 * The caller owns the result.
 *
 * host: name, uri, state ("up", "down", "silent", "claimed": another daemon acts
 *       on it), down_reason, claimed_by, maintenance, cordoned, reason, since,
 *       cpus, cpu_used, memory, memory_free, reserve_memory,
 *       smoothed: cpu_smooth (cores), memory_smooth (fraction in use), steal,
 *       psi_cpu, psi_memory, psi_io (fractions), swap_in (bytes/s),
 *       memory_reserved_by_moves, vms (count of guests that are active),
 *       vms_inactive, moves_in, moves_out, labels{}
 *       and with detail: pools[], networks[], interfaces[], guests[] (as vm),
 *       alerts[]
 * alert: name, severity, since, labels{}
 * vm:   name, uuid, host, state, reason, persistent, autostart, vcpus, memory,
 *       cpu_used, smoothed: cpu_smooth (cores), disk_iops (requests/s),
 *       net_rate (bytes/s); dirty_rate and dirty_rate_age_ms (since it was measured),
 *       the same with dirty_rate_long (over a longer time), moving (bool)
 *       and with detail: machine, arch, emulator, nics[], pins[], anchors[],
 *       agent, managed_save (bool), snapshots (count), disks[] (with the
 *       figures of a survey: capacity, allocation, found_pool, found_volume)
 */
json_t *view_host(
    const struct snapshot *s, const struct snap_host *host, bool detail);
json_t *view_alert(const struct snap_alert *alert);
json_t *view_vm(
    const struct snapshot *s, const struct snap_vm *vm, bool detail);

#endif
