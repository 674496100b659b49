/* leave KIND[:N]...: a payload that leaves processes behind. It starts N (1) of each KIND and says "ready" when all of
 * them are. Then it ends with 7 at USR1, with 8 at TERM; other signals mean nothing to it.
 *
 *   plain     TERM ends it                      deaf      ignores TERM
 *   away      plain, in a session of its own    stopped   plain, and stopped
 *   deep      plain, and has a plain child      telling   says "told N" for each signal N, ends at USR2 only
 *   distant   telling, in a session of its own    background   telling, ignores INT and QUIT, as shells have it
 *   family    telling, with a child that says "child told N"
 *   heir      when it and all that are plain have got TERM, it starts a telling child and says "heir"; deaf otherwise
 *   other     plain, of user 65534              headless  ignores TERM; its first thread has ended, another has not
 *   chain     starts the next of its kind and ends, 3,000 times, every millisecond; all of them ignore TERM
 *   links     the same, 15 times, every 200 milliseconds
 *   workers   starts a child every millisecond that says "told 15" at TERM and ends; 300 of them; ends at TERM
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nobody writes to `baton`: it ends when those who hold its other end, the plain ones, have ended. */
static int report[2], baton[2];
static sigset_t all, none;

static void ready(void)
{
    if (write(report[1], "x", 1) != 1)
        _exit(99);
}

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(98);
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void milliseconds(int count)
{
    struct timespec time = {0, count * 1000000L};
    nanosleep(&time, NULL);
}

static void *body(void *unused)
{
    ready();
    wait_for_ever();
    return unused;
}

static void tell(const char *name)
{
    char line[32];
    int number;
    while (!sigwait(&all, &number) && number != SIGUSR2) {
        snprintf(line, sizeof line, "%stold %d\n", name, number);
        say(line);
    }
    _exit(0);
}

static void inherit(void)
{
    sigset_t term;
    int number;
    char byte;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ready();
    sigwait(&term, &number);
    if (read(baton[0], &byte, 1) != 0)
        _exit(91);
    if (fork() == 0)
        tell("");
    say("heir\n");
    wait_for_ever();
}

static void hand_on(int times, int lifetime)
{
    while (times--) {
        if (fork())
            _exit(0);
        milliseconds(lifetime);
    }
}

static void work(void)
{
    sigset_t term, pending;
    int number;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 300; i++) {
        if (i == 30)
            ready();
        sigprocmask(SIG_BLOCK, &term, NULL);
        pid_t child = fork();
        if (child == 0) {
            sigwait(&term, &number);
            say("told 15\n");
            _exit(0);
        }
        /* If TERM came while it was blocked and the child not yet born, nobody else will tell the child. */
        if (!sigpending(&pending) && sigismember(&pending, SIGTERM))
            kill(child, SIGTERM);
        sigprocmask(SIG_UNBLOCK, &term, NULL);
        milliseconds(1);
    }
    wait_for_ever();
}

static void be(const char *kind)
{
    pthread_t thread;
    if (strcmp(kind, "plain"))
        close(baton[1]);
    if (!strcmp(kind, "distant"))
        setsid();
    if (!strcmp(kind, "background")) {
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
    }
    if (!strcmp(kind, "family") && fork() == 0)
        tell("child ");
    if (!strcmp(kind, "telling") || !strcmp(kind, "distant") || !strcmp(kind, "background") ||
        !strcmp(kind, "family")) {
        ready();
        tell("");
    }
    if (!strcmp(kind, "heir"))
        inherit();
    if (!strcmp(kind, "workers"))
        work();
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!strcmp(kind, "deaf") || !strcmp(kind, "chain") || !strcmp(kind, "links") || !strcmp(kind, "headless"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(kind, "away"))
        setsid();
    else if (!strcmp(kind, "deep") && fork() == 0)
        wait_for_ever();
    else if (!strcmp(kind, "other") && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
        _exit(97);
    if (!strcmp(kind, "headless")) {
        if (pthread_create(&thread, NULL, body, NULL))
            _exit(96);
        syscall(SYS_exit, 0);
    }
    ready();
    if (!strcmp(kind, "stopped"))
        raise(SIGSTOP);
    if (!strcmp(kind, "chain"))
        hand_on(3000, 1);
    if (!strcmp(kind, "links"))
        hand_on(15, 200);
    wait_for_ever();
}

int main(int argc, char **argv)
{
    int number;
    if (pipe(report) || pipe(baton))
        return 95;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i < argc; i++) {
        char *colon = strchr(argv[i], ':'), byte;
        int count = colon ? atoi(colon + 1) : 1;
        if (colon)
            *colon = 0;
        for (int n = 0; n < count; n++) {
            pid_t child = fork();
            if (child < 0)
                return 94;
            if (child == 0)
                be(argv[i]);
            if (read(report[0], &byte, 1) != 1)
                return 93;
            if (!strcmp(argv[i], "stopped") && waitpid(child, &number, WUNTRACED) != child)
                return 92;
        }
    }
    say("ready\n");
    for (;;) {
        sigwait(&all, &number);
        if (number == SIGUSR1 || number == SIGTERM)
            _exit(number == SIGUSR1 ? 7 : 8);
    }
}
