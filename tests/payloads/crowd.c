/* crowd N: say "ready" with N children, and at TERM "TERM", and exit with 42. Parent and children ignore other signals.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void note(int number)
{
    told = number;
}

int main(int argc, char **argv)
{
    int count = argc == 2 ? atoi(argv[1]) : 0;
    sigset_t all, all_but_term;
    sigfillset(&all);
    all_but_term = all;
    sigdelset(&all_but_term, SIGTERM);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int number = 1; number <= SIGRTMAX; number++) {
        if (number != SIGCHLD) {
            signal(number, SIG_IGN);
        }
    }
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) {
            return 1;
        }
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                pause();
            }
        }
    }
    signal(SIGTERM, note);
    puts("ready");
    fflush(stdout);
    while (!told) {
        sigsuspend(&all_but_term);
    }
    puts("TERM");
    fflush(stdout);
    return 42;
}
