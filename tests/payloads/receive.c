/* receive [NAME [N...]]: says "NAME is ready", then a line for each signal it is sent: NAME, number, si_code, si_pid.
 *
 * NAME is "got" by default. Signals N do what they do by default. It takes all of 1 to 64 but KILL and STOP, by raw
 * system calls: libc hides 32 and 33.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long long all = ~0ULL;
    const char *name = argc > 1 ? argv[1] : "got";
    for (int i = 2; i < argc; i++)
        all &= ~(1ULL << (atoi(argv[i]) - 1));
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all))
        return 99;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s is ready\n", name);
    for (;;) {
        siginfo_t info;
        if (syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof all) >= 0)
            printf("%s %d %d %d\n", name, info.si_signo, info.si_code, (int)info.si_pid);
        else if (errno != EINTR)
            return 98;
    }
}
