/* Twin of midipool/clock_map.py: two straight lines, first slewing, then drift alone. */
#include <math.h>
#include <stdint.h>

#include "rt.h"

static int64_t slewing_ns(const mp_clock_map *map) {
    int64_t span = map->slew_end_ns - map->local_ns;
    return span > 0 ? span : 0;
}

int64_t mp_room_at_ns(const mp_clock_map *map, int64_t local_ns) {
    int64_t elapsed = local_ns - map->local_ns;
    int64_t span = slewing_ns(map);
    int64_t slewed = span == 0 || elapsed > span ? span : elapsed;
    double extra = (double)slewed * map->slew + (double)(elapsed - slewed) * map->drift;
    return map->room_ns + elapsed + llround(extra);
}

int64_t mp_local_at_ns(const mp_clock_map *map, int64_t room_ns) {
    int64_t ahead = room_ns - map->room_ns;
    int64_t span = slewing_ns(map);
    double turn = (double)span * (1.0 + map->slew);
    if (span == 0 || (double)ahead > turn) {
        return map->local_ns + span + llround(((double)ahead - turn) / (1.0 + map->drift));
    }
    return map->local_ns + llround((double)ahead / (1.0 + map->slew));
}
