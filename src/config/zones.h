#ifndef DROVER_CONFIG_ZONES_H
#define DROVER_CONFIG_ZONES_H

#include "config/settings.h"

/*
 * The time zones that windows of policies are told in: windows[].zone of each
 * policy is filled from windows[].time_zone.  Each file of the folder is read
 * once and kept with the settings, so that a reload takes up a new release of
 * the rules.  Not part of libcore (it reads the disk).
 *
 * A name that is none becomes a fault at its window, with the nearest one that
 * there is.
 */
#define ZONES_FOLDER "/usr/share/zoneinfo"
#define ZONES_NAME_MAX 64

void zones_fill(
    struct settings *settings, const char *folder, struct diag_list *diags);

#endif
