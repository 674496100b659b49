/* What wait(2) has to say of unusual lives; each part ends as its line tells.
 *
 *   leader          its first thread ends; the other says "leader gone", at USR1 "still here"; TERM ends it with 7
 *   traced          a child traces it and says "traced"; TERM ends it with 5; at USR2 the tracer lets go of it
 *   orphan SIGNAL   leaves an orphan that was cloned with this exit signal; says "left"; TERM ends it
 *   exec SIGNAL COMMAND...   becomes COMMAND and leaves it a child that was cloned with this exit signal
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t awaited;

static int next_signal(void)
{
    int number;
    return sigwait(&awaited, &number) ? -1 : number;
}

static int leader_is_a_zombie(void)
{
    char name[64], line[256] = "";
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", getpid());
    FILE *file = fopen(name, "r");
    if (!file)
        return 0;
    char *found = fgets(line, sizeof line, file);
    fclose(file);
    found = found ? strrchr(line, ')') : NULL;
    return found && found[1] && found[2] == 'Z';
}

static void *outlive(void *unused)
{
    (void)unused;
    while (!leader_is_a_zombie())
        usleep(1000);
    puts("leader gone");
    while (next_signal() == SIGUSR1)
        puts("still here");
    exit(7);
}

static int leader(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, outlive, NULL))
        return 96;
    syscall(SYS_exit, 0);
    return 95;
}

static int traced(void)
{
    pid_t payload = getpid(), tracer = fork();
    if (tracer == 0) {
        if (ptrace(PTRACE_SEIZE, payload, 0, 0))
            _exit(94);
        puts("traced");
        while (next_signal() != SIGUSR2)
            ;
        _exit(waitpid(payload, NULL, __WALL) != payload);
    }
    while (next_signal() != SIGTERM)
        ;
    return tracer < 0 ? 93 : 5;
}

/* fork(), but with this as what the parent is told by when the child ends; 0: by nothing. */
static pid_t fork_with(int exit_signal)
{
    return (pid_t)syscall(SYS_clone, exit_signal, 0, 0, 0, 0);
}

static int orphan(int exit_signal)
{
    pid_t parent = fork();
    if (parent == 0) {
        pid_t child = fork_with(exit_signal);
        if (child == 0)
            for (;;)
                pause();
        _exit(child < 0);
    }
    int status;
    if (parent < 0 || waitpid(parent, &status, 0) != parent || status)
        return 92;
    puts("left");
    while (next_signal() != SIGTERM)
        ;
    return 0;
}

static int become(int exit_signal, char **command)
{
    pid_t child = fork_with(exit_signal);
    if (child == 0)
        for (;;)
            pause();
    if (child < 0)
        return 91;
    sigprocmask(SIG_UNBLOCK, &awaited, NULL);
    execvp(command[0], command);
    return 90;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigaddset(&awaited, SIGUSR2);
    sigaddset(&awaited, SIGTERM);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    if (argc == 2 && !strcmp(argv[1], "leader"))
        return leader();
    if (argc == 2 && !strcmp(argv[1], "traced"))
        return traced();
    if (argc == 3 && !strcmp(argv[1], "orphan"))
        return orphan(atoi(argv[2]));
    if (argc > 3 && !strcmp(argv[1], "exec"))
        return become(atoi(argv[2]), argv + 3);
    return 97;
}
