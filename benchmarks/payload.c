/* What the inits run while they are measured. Static and small, so that its own cost is little and the same for all.
 *
 *   payload                 exits at once
 *   payload stamp           writes two times, of its first instruction and of its end, and exits
 *   payload echo [N]        starts N idle orphans, writes a byte; then for each SIGUSR1 writes the time of its arrival
 *   payload pause           writes a byte and stays until it is killed
 *   payload orphans         writes a byte; for each 32-bit number it reads, makes that many orphans and writes a storm
 *
 * Times are CLOCK_MONOTONIC in nanoseconds, written to standard output as 64-bit numbers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 10,           /* orphans of one short-lived parent */
    LOOK_AGAIN = 100000,  /* nanoseconds between two looks whether all have been reaped */
    GIVE_UP = 20,         /* seconds after which orphans that are left will never be reaped */
};

struct storm {
    uint64_t start, end;     /* first orphan begun, last one reaped; nanoseconds */
    uint64_t zombies;        /* the most that were there at once */
    uint64_t left;           /* 1 if some were never reaped */
};

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void tell(const void *data, size_t size)
{
    if (write(1, data, size) != (ssize_t)size)
        _exit(1);
}

static int stamp(uint64_t first)
{
    uint64_t times[2] = {first, now()};

    tell(times, sizeof times);
    return 0;
}

/* vfork is the cheapest for the kernel: what is measured is the init, not fork. */
static void end_at_once(void)
{
    pid_t pid = vfork();

    if (pid == 0)
        _exit(0);
    if (pid < 0)
        _exit(1);
}

static void idle(void)
{
    pid_t pid = fork();

    while (pid == 0)
        pause();
    if (pid < 0)
        _exit(1);
}

/* Their parent has a group of its own, and so have they: a signal to the payload's group is not meant for them. */
static void make_orphans(int count, void (*make)(void))
{
    pid_t parent = fork();

    if (parent != 0) {
        waitpid(parent, NULL, 0);
        return;
    }
    setpgid(0, 0);
    while (count-- > 0)
        make();
    _exit(0);
}

static _Noreturn void echo(int orphans)
{
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    make_orphans(orphans, idle);
    tell("", 1);
    for (;;) {
        sigwaitinfo(&wanted, NULL);
        uint64_t arrival = now();
        tell(&arrival, sizeof arrival);
    }
}

/* All tasks of the machine, zombies too: one cheap system call; counting in /proc would disturb what it counts. */
static uint64_t tasks(void)
{
    struct sysinfo info;

    sysinfo(&info);
    return info.procs;
}

/* The processes of our PID namespace, zombies too. */
static int processes(void)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    if (!folder)
        _exit(1);
    while ((entry = readdir(folder)))
        count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    closedir(folder);
    return count;
}

static void storm(int count)
{
    struct storm result = {0};
    struct timespec pause = {0, LOOK_AGAIN};
    uint64_t before = tasks(), give_up;
    int processes_before = processes();

    result.start = now();
    for (int left = count; left > 0; left -= BATCH) {
        make_orphans(left < BATCH ? left : BATCH, end_at_once);
        uint64_t there = tasks();
        if (there > before && there - before > result.zombies)
            result.zombies = there - before;
    }
    give_up = now() + GIVE_UP * (uint64_t)1000000000;
    while (!(result.left = now() > give_up) && processes() > processes_before)
        nanosleep(&pause, NULL);
    result.end = now();
    tell(&result, sizeof result);
}

static int orphans(void)
{
    uint32_t count;

    tell("", 1);
    while (read(0, &count, sizeof count) == sizeof count)
        storm(count);
    return 0;
}

int main(int count, char **words)
{
    uint64_t first = now();

    if (count < 2)
        return 0;
    if (strcmp(words[1], "stamp") == 0)
        return stamp(first);
    if (strcmp(words[1], "echo") == 0)
        echo(count > 2 ? atoi(words[2]) : 0);
    if (strcmp(words[1], "orphans") == 0)
        return orphans();
    tell("", 1);
    for (;;)
        pause();
}
