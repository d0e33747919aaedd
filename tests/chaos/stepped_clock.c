/* A wall clock that is off by as many seconds as the file $STENOCAST_CLOCK_FILE says. Monotonic time stays true.

   Built by tests/chaos/fleet.py and preloaded into the processes of a campaign. The file is read at most ten times a
   second. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int true_time(clockid_t clock, struct timespec *at) { return (int)syscall(SYS_clock_gettime, clock, at); }

static time_t offset(void) {
    static time_t seconds;
    static struct timespec read_at;
    struct timespec now;
    true_time(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - read_at.tv_sec) * 10 + (now.tv_nsec - read_at.tv_nsec) / 100000000 >= 1) {
        const char *name = getenv("STENOCAST_CLOCK_FILE");
        FILE *file = name ? fopen(name, "re") : NULL;
        long said = 0;
        if (file) {
            if (fscanf(file, "%ld", &said) == 1) seconds = said;
            fclose(file);
        }
        read_at = now;
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int status = true_time(clock, at);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += offset();
    return status;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
