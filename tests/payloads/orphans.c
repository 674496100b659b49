/* orphans at-once N: makes N orphans that live; says "ready"; at USR1 all end at once; says "ended", then waits.
 * orphans storm N:   makes N orphans one after the other, each ending by itself; says "ended", then waits.
 *
 * An orphan is a grandchild whose parent has ended. TERM ends this program with exit code 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int alarm_bell[2];

static void orphan(int lives)
{
    pid_t parent = fork();
    if (parent < 0)
        exit(99);
    if (parent == 0) {
        pid_t child = fork();
        if (child == 0 && lives) {
            char byte;
            close(alarm_bell[1]);
            /* Ends when nobody holds the other end of the pipe any more. */
            if (read(alarm_bell[0], &byte, 1) != 0)
                _exit(1);
        }
        _exit(child < 0 ? 99 : 0);
    }
    int status;
    if (waitpid(parent, &status, 0) != parent || status)
        exit(98);
}

int main(int argc, char **argv)
{
    if (argc != 3 || pipe(alarm_bell))
        return 97;
    int lives = strcmp(argv[1], "at-once") == 0, number;
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigaddset(&awaited, SIGTERM);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (long i = atol(argv[2]); i > 0; i--)
        orphan(lives);
    if (lives) {
        puts("ready");
        if (sigwait(&awaited, &number) || number != SIGUSR1)
            return 0;
        close(alarm_bell[1]);
    }
    puts("ended");
    do
        sigwait(&awaited, &number);
    while (number != SIGTERM);
    return 0;
}
