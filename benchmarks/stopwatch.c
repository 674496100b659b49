/* Measures what a slower language would blur. Whoever starts it has chosen one CPU for all.
 *
 *   stopwatch start [-1] ROUNDS EVERY COMMAND... [::: EVERY COMMAND...]...
 *       Starts the commands in turn, ROUNDS times; one whose EVERY is 10 takes part in each tenth round. With -1 each
 *       is PID 1 of a PID namespace with its own /proc. What ends a command must be `payload stamp`. A line for each
 *       start: number of the command; nanoseconds from its execve to the payload's first instruction, from the
 *       payload's _exit to its own end, and in all; microseconds of processor time and page faults of itself and the
 *       payload.
 *   stopwatch forward PID COUNT
 *       Sends SIGUSR1 to PID so many times, each after the answer of `payload echo` to the one before it, which is read
 *       from standard input. A line for each: nanoseconds from kill to arrival.
 *   stopwatch cpuid
 *       The nanoseconds that a CPUID instruction takes.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHILD_STACK = 65536,  /* bytes */
    CPUIDS = 100,         /* how many are timed */
    MOST_COMMANDS = 64,
};

struct command {
    int every;
    char **words;
};

struct child {
    char **words;
    int output;
    int is_init;
    uint64_t begun;
};

extern char **environ;

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Shares our memory until exec, and with it `begun`. */
static int become(void *argument)
{
    struct child *child = argument;

    dup2(child->output, 1);
    if (child->is_init && mount("proc", "/proc", "proc", 0, NULL) != 0)
        _exit(126);
    child->begun = now();
    execve(child->words[0], child->words, environ);
    _exit(127);
}

static void measure(int number, char **words, int is_init)
{
    static char stack[CHILD_STACK];
    int ends[2], status;
    uint64_t stamps[2];
    struct rusage usage;

    if (pipe2(ends, O_CLOEXEC) != 0)
        err(1, "pipe2");
    struct child child = {words, ends[1], is_init, 0};
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (is_init ? CLONE_NEWPID : 0);
    pid_t pid = clone(become, stack + CHILD_STACK, flags, &child);
    if (pid < 0)
        err(1, "clone");
    if (wait4(pid, &status, 0, &usage) != pid)
        err(1, "wait4");
    uint64_t ended = now();
    if (is_init && umount2("/proc", MNT_DETACH) != 0)
        err(1, "umount /proc");
    if (status != 0)
        errx(1, "%s: wait status %#x", words[0], status);
    if (read(ends[0], stamps, sizeof stamps) != sizeof stamps)
        errx(1, "%s: no times from the payload", words[0]);
    close(ends[0]);
    close(ends[1]);
    long processor =
        (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    printf("%d %lu %lu %lu %ld %ld\n", number, stamps[0] - child.begun, ended - stamps[1], ended - child.begun,
           processor, usage.ru_minflt);
}

static int start(char **words)
{
    struct command commands[MOST_COMMANDS];
    int count = 0, is_init = 0;

    if (*words && strcmp(*words, "-1") == 0) {
        is_init = 1;
        words++;
    }
    if (!words[0] || !words[1])
        errx(2, "start: too few words");
    int rounds = atoi(*words++);
    while (*words) {
        if (count == MOST_COMMANDS)
            errx(2, "start: more than %d commands", MOST_COMMANDS);
        commands[count].every = atoi(*words++);
        commands[count++].words = words;
        while (*words && strcmp(*words, ":::") != 0)
            words++;
        if (*words)
            *words++ = NULL;
    }
    /* What is mounted on /proc meanwhile is nobody else's business. */
    if (is_init && (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
        err(1, "mount namespace");
    for (int round = 0; round < rounds; round++)
        for (int turn = 0; turn < count; turn++) {
            /* Each has another one before it in each round: who leaves the caches cold harms all alike. */
            int number = (turn * (1 + round % (count - 1 ? count - 1 : 1)) + round) % count;
            if (round % commands[number].every == 0)
                measure(number, commands[number].words, is_init);
        }
    return 0;
}

static int forward(pid_t pid, int count)
{
    while (count-- > 0) {
        uint64_t arrival, sent = now();
        if (kill(pid, SIGUSR1) != 0)
            err(1, "kill %d", pid);
        if (read(0, &arrival, sizeof arrival) != sizeof arrival)
            errx(1, "no answer from the payload");
        printf("%lu\n", arrival - sent);
    }
    return 0;
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static int cpuid(void)
{
    static uint64_t taken[CPUIDS];
    unsigned a, b, c, d;

    for (int each = 0; each < CPUIDS; each++) {
        uint64_t begun = now();
        /* Leaf 4 is what glibc asks most: the caches. */
        __cpuid_count(4, each % 4, a, b, c, d);
        taken[each] = now() - begun;
    }
    qsort(taken, CPUIDS, sizeof *taken, by_size);
    uint64_t begun = now();
    for (int each = 0; each < CPUIDS; each++)
        now();
    uint64_t clock = (now() - begun) / CPUIDS;
    uint64_t median = taken[CPUIDS / 2];
    printf("%lu\n", median > clock ? median - clock : 0);
    return 0;
}

int main(int count, char **words)
{
    if (count > 2 && strcmp(words[1], "start") == 0)
        return start(words + 2);
    if (count == 4 && strcmp(words[1], "forward") == 0)
        return forward(atoi(words[2]), atoi(words[3]));
    if (count == 2 && strcmp(words[1], "cpuid") == 0)
        return cpuid();
    errx(2, "what is to be measured? start, forward or cpuid");
}
