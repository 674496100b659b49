/* deaf [blocks]: ignores every signal but TERM, or blocks them; says "ready", at TERM "TERM", and ends with 42. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void note(int number)
{
    told = number;
}

int main(int argc, char **argv)
{
    (void)argv;
    sigset_t all, all_but_term;
    sigfillset(&all);
    all_but_term = all;
    sigdelset(&all_but_term, SIGTERM);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 1; argc == 1 && i <= SIGRTMAX; i++)
        signal(i, SIG_IGN);
    signal(SIGTERM, note);
    puts("ready");
    fflush(stdout);
    while (!told)
        sigsuspend(&all_but_term);
    puts("TERM");
    fflush(stdout);
    return 42;
}
