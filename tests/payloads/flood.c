/* flood HOW PID SENDERS NUMBER...: so many processes send these signals to a process without end, as fast as they can.
 *
 * HOW is the call: kill, sigqueue (to the process), tgkill or tgsigqueue (to its first thread). Says "flooding" when
 * each of them has sent a thousand. Whoever ends it ends them all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST = 1000, MOST = 64 };

static void send_one(const char *how, pid_t target, int number)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE, .si_pid = getpid()};
    long result;
    if (strcmp(how, "kill") == 0)
        result = kill(target, number);
    else if (strcmp(how, "tgkill") == 0)
        result = syscall(SYS_tgkill, target, target, number);
    else if (strcmp(how, "sigqueue") == 0)
        result = syscall(SYS_rt_sigqueueinfo, target, number, &info);
    else
        result = syscall(SYS_rt_tgsigqueueinfo, target, target, number, &info);
    /* EAGAIN: its queue is full. */
    if (result && errno != EAGAIN)
        _exit(errno == ESRCH ? 0 : 98);
}

static void flood(const char *how, pid_t target, const int *numbers, int count, int ready)
{
    for (long sent = 0;; sent++) {
        if (sent == FIRST && write(ready, "", 1) != 1)
            _exit(97);
        send_one(how, target, numbers[sent % count]);
    }
}

int main(int argc, char **argv)
{
    int numbers[MOST], ready[2];
    if (argc < 5 || argc - 4 > MOST || pipe(ready))
        return 96;
    for (int i = 4; i < argc; i++)
        numbers[i - 4] = atoi(argv[i]);
    int senders = atoi(argv[3]);
    for (int i = 0; i < senders; i++) {
        pid_t parent = getpid();
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == parent)
                flood(argv[1], atoi(argv[2]), numbers, argc - 4, ready[1]);
            _exit(95);
        }
    }
    char begun;
    for (int i = 0; i < senders; i++)
        if (read(ready[0], &begun, 1) != 1)
            return 94;
    puts("flooding");
    fflush(stdout);
    for (;;)
        pause();
}
