/* witness DESCRIPTOR [WORD...]: says there what it was given, line by line, then "ready"; then what it is sent.
 *
 *   USR1   makes an orphan, which ends at once; says "USR1"
 *   TERM   says "TERM"; ends with exit code 42
 *
 * It needs no more than it must, so that it works where much is refused: no rt_sigtimedwait, no /proc, no libc start-up
 * but a static one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 64, DESCRIPTORS = 256, CODE = 42 };

struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

extern char **environ;
static int report;

static void say(const char *line)
{
    if (write(report, line, strlen(line)) < 0)
        _exit(98);
}

static void say_list(const char *name, char **list)
{
    char line[100];
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, with each entry's end */
    size_t count = 0, bytes = 0;
    for (; list[count]; count++) {
        const unsigned char *at = (unsigned char *)list[count];
        do {
            hash = (hash ^ *at) * 0x100000001b3;
            bytes++;
        } while (*at++);
    }
    sprintf(line, "%s %zu entries, %zu bytes, hash %016llx\n", name, count, bytes, (unsigned long long)hash);
    say(line);
}

static void say_signals(void)
{
    char line[100];
    uint64_t mask = 0, ignored = 0;
    if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask))
        say("mask refused\n");
    for (int number = 1; number <= SIGNALS; number++) {
        struct kernel_action action;
        if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof action.mask) == 0 && action.handler == SIG_IGN)
            ignored |= (uint64_t)1 << (number - 1);
    }
    sprintf(line, "mask %016llx\nignored %016llx\n", (unsigned long long)mask, (unsigned long long)ignored);
    say(line);
}

static void say_limits(void)
{
    char line[100];
    for (int number = 0; number < RLIMIT_NLIMITS; number++) {
        struct rlimit limit;
        if (getrlimit(number, &limit) == 0) {
            sprintf(line, "limit-%d %llx %llx\n", number, (unsigned long long)limit.rlim_cur,
                    (unsigned long long)limit.rlim_max);
            say(line);
        }
    }
}

static void say_rest(void)
{
    char line[DESCRIPTORS * 4 + 100] = "descriptors", directory[4096];
    for (int number = 0; number < DESCRIPTORS; number++)
        if (fcntl(number, F_GETFD) >= 0)
            sprintf(line + strlen(line), " %d", number);
    say(strcat(line, "\n"));
    say("directory ");
    say(getcwd(directory, sizeof directory) ? directory : strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    sprintf(line, "\numask %o\nnice %d\nidentity %d %d\n", mask, getpriority(PRIO_PROCESS, 0), (int)getuid(),
            (int)getgid());
    say(line);
}

static void make_orphan(void)
{
    pid_t parent = fork();
    if (parent == 0)
        _exit(fork() < 0);
    int status;
    while (parent > 0 && waitpid(parent, &status, 0) < 0 && errno == EINTR) {
    }
}

static void handle(int number)
{
    if (number == SIGUSR1)
        make_orphan();
    say(number == SIGUSR1 ? "USR1\n" : "TERM\n");
    if (number == SIGTERM)
        _exit(CODE);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 97;
    report = atoi(argv[1]);
    say_list("arguments", argv);
    say_list("environment", environ);
    say_signals();
    say_limits();
    say_rest();
    struct sigaction action = {.sa_handler = handle};
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigaddset(&awaited, SIGTERM);
    action.sa_mask = awaited;
    if (sigaction(SIGUSR1, &action, NULL) || sigaction(SIGTERM, &action, NULL))
        return 96;
    sigprocmask(SIG_UNBLOCK, &awaited, NULL);
    say("ready\n");
    for (;;)
        pause();
}
