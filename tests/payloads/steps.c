/* steps: says "ready", then does one part of a life under an init for each signal.
 *
 *   USR1   makes five orphans, which end at once; says "orphans"
 *   TERM   says "TERM"
 *   RTMIN  ends with exit code 42; the highest number, so that it comes last of those that wait
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_orphans(int count)
{
    for (; count; count--) {
        pid_t parent = fork();
        if (parent == 0)
            _exit(fork() < 0);
        int status;
        if (parent < 0 || waitpid(parent, &status, 0) != parent || status)
            return 0;
    }
    return 1;
}

int main(void)
{
    sigset_t awaited;
    int number;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (sigwait(&awaited, &number) == 0) {
        if (number == SIGRTMIN)
            return 42;
        if (number == SIGUSR1 && !make_orphans(5))
            return 98;
        puts(number == SIGUSR1 ? "orphans" : "TERM");
    }
    return 97;
}
